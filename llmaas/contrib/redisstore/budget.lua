-- One account of a cost.BudgetState: holds money on it, or settles it. Before it
-- stands whole.lua.
--
-- KEYS[1]  the account
-- KEYS[2]  the mark that this was done; a hold of 0 has none
-- ARGV     the longest a call can take and the times to live of the account and
--          the mark, milliseconds; then 'hold', most, limit or 'settle', held, spent
--
-- The value is three numbers: what is spent, what is held, and when a call last
-- changed them, in milliseconds by the server's clock.
--
-- Returns how it went, what is spent and what is held.

local key, mark, longest, ttl, what = KEYS[1], KEYS[2], tonumber(ARGV[1]), ARGV[2], ARGV[4]
local value = redis.call('GET', key)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local spent, held, touched = '0', '0', '0'
if value then
	spent, held, touched = string.match(value, '^(%d+) (%d+) (%d+)$')
	if not spent then
		error('got a value that is no balance')
	end
	spent, held = whole(spent), whole(held)
	-- All calls that held something are over, and some did not live to settle.
	if now - tonumber(touched) >= longest then
		spent, held = plus(spent, held), '0'
		if less(largest, spent) then
			spent = largest
		end
	end
end

if mark and redis.call('EXISTS', mark) == 1 then
	return {'ok', spent, held}
end
if what == 'hold' then
	local most, limit = ARGV[5], ARGV[6]
	if most == '0' then
		return {'ok', spent, held}
	end
	local after = plus(held, most)
	if exceeds(plus(spent, after), limit) then
		return {'full', spent, held}
	end
	held = after
else
	local back, cost = ARGV[5], ARGV[6]
	if less(held, back) then
		return {'absent', spent, held}
	end
	local after = plus(spent, cost)
	if less(largest, after) then
		return {'overflow', spent, held}
	end
	spent, held = after, minus(held, back)
end
redis.call('SET', mark, '', 'PX', ARGV[3])
redis.call('SET', key, string.format('%s %s %.0f', spent, held, now), 'PX', ttl)
return {'ok', spent, held}
