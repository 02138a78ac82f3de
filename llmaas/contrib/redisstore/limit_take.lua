-- Adds to all counters of a tenant, unless one would exceed its most: then to
-- none; or unless it was done before. The contract is that of limit.State. Before
-- it stand whole.lua and limit.lua.
--
-- KEYS  the counters, and the mark of this call
-- ARGV  this gateway, the longest that a call can take and the time to live of the
--       mark; then for each counter: what to add, its most, and its time to live,
--       or 0 for that of requests under way. Times are in milliseconds.
--
-- Returns 1 or 0, and the values after adding, or as they are.

if #KEYS == 1 then
	return {1}
end
local fit, before, after, own = 1, redis.call('MGET', unpack(KEYS)), {}, {}
local done = table.remove(before)
for i, value in ipairs(before) do
	local add, most, ttl = ARGV[3 * i + 1], ARGV[3 * i + 2], ARGV[3 * i + 3]
	if ttl == '0' then
		before[i], own[i] = underway(KEYS[i])
	else
		before[i] = whole(value or '0')
	end
	after[i] = plus(before[i], add)
	if exceeds(after[i], most) then
		fit = 0
	end
end
if done then
	return {1, unpack(before)}
end
if fit == 0 then
	return {0, unpack(before)}
end
for i, value in ipairs(after) do
	if ARGV[3 * i + 3] == '0' then
		setunderway(KEYS[i], plus(own[i] or '0', ARGV[3 * i + 1]))
	else
		redis.call('SET', KEYS[i], value, 'PX', ARGV[3 * i + 3])
	end
end
redis.call('SET', KEYS[#KEYS], '', 'PX', ARGV[3])
return {1, unpack(after)}
