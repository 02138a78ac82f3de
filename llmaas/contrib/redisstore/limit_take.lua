-- Adds to all counters of a tenant, unless one would exceed its most: then to
-- none; or unless it was done before. The contract is that of limit.State.
--
-- KEYS  the counters, and the mark of this call
-- ARGV  for each counter: what to add, its most, time to live in milliseconds;
--       and that of the mark
--
-- Returns 1 or 0, and the values after adding, or as they are.

local counters = #KEYS - 1
if counters == 0 then
	return {1}
end
local fit, before, after = 1, redis.call('MGET', unpack(KEYS)), {}
local done = table.remove(before)
for i, value in ipairs(before) do
	before[i] = whole(value or '0')
	after[i] = plus(before[i], ARGV[3 * i - 2])
	if exceeds(after[i], ARGV[3 * i - 1]) then
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
	redis.call('SET', KEYS[i], value, 'PX', ARGV[3 * i])
end
redis.call('SET', KEYS[#KEYS], '', 'PX', ARGV[#ARGV])
return {1, unpack(after)}
