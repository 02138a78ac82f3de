-- Adds to all counters of a tenant that are there, whatever their most, unless
-- it was done before. The contract is that of limit.State.
--
-- KEYS  the counters, and the mark of this call
-- ARGV  for each counter: what to add, which may be negative, and the time to
--       live in milliseconds, or 0 to leave it; and that of the mark

local counters = #KEYS - 1
if counters == 0 then
	return 1
end
local after = {}
for i, value in ipairs(redis.call('MGET', unpack(KEYS, 1, counters))) do
	local add = ARGV[2 * i - 1]
	if not value then
		after[i] = false
	elseif negative(add) then
		after[i] = minus(whole(value), string.sub(add, 2))
	else
		after[i] = plus(whole(value), add)
		if less(largest, after[i]) then
			after[i] = largest
		end
	end
end
-- Only here, when nothing can fail any more: all or nothing.
if not redis.call('SET', KEYS[#KEYS], '', 'NX', 'PX', ARGV[#ARGV]) then
	return 1
end
for i, value in ipairs(after) do
	local ttl = ARGV[2 * i]
	if value and ttl == '0' then
		redis.call('SET', KEYS[i], value, 'KEEPTTL')
	elseif value then
		redis.call('SET', KEYS[i], value, 'PX', ttl)
	end
end
return 1
