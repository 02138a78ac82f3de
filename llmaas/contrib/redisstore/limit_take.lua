-- Adds to all counters of a tenant, unless one would exceed its most: then to
-- none. The contract is that of limit.State.
--
-- KEYS  the counters
-- ARGV  for each counter: what to add, its most, time to live in milliseconds
--
-- Returns 1 or 0, and the values after adding, or as they are.

if #KEYS == 0 then
	return {1}
end
local fit, before, after = 1, redis.call('MGET', unpack(KEYS)), {}
for i, value in ipairs(before) do
	before[i] = whole(value or '0')
	after[i] = plus(before[i], ARGV[3 * i - 2])
	if exceeds(after[i], ARGV[3 * i - 1]) then
		fit = 0
	end
end
if fit == 0 then
	return {0, unpack(before)}
end
for i, key in ipairs(KEYS) do
	redis.call('SET', key, after[i], 'PX', ARGV[3 * i])
end
return {1, unpack(after)}
