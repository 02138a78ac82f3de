-- Adds to all counters of a tenant that are there, whatever their most, unless
-- it was done before. The contract is that of limit.State. Before it stand
-- whole.lua and limit.lua.
--
-- KEYS  the counters, and the mark of this call
-- ARGV  as in limit_take.lua; then for each counter: what to add, which may be
--       negative, and 1, or 0 for that of requests under way

if #KEYS == 1 then
	return 1
end
local before, after = redis.call('MGET', unpack(KEYS)), {}
if table.remove(before) then
	return 1
end
for i, value in ipairs(before) do
	local add = ARGV[2 * i + 2]
	if ARGV[2 * i + 3] == '0' then
		local _, own = underway(KEYS[i])
		value = own
	end
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
for i, value in ipairs(after) do
	if value and ARGV[2 * i + 3] == '0' then
		setunderway(KEYS[i], value)
	elseif value then
		redis.call('SET', KEYS[i], value, 'KEEPTTL')
	end
end
redis.call('SET', KEYS[#KEYS], '', 'PX', ARGV[3])
return 1
