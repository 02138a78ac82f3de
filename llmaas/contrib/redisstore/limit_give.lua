-- Adds to all counters of a tenant that are there, whatever their most. The
-- contract is that of limit.State.
--
-- KEYS  the counters
-- ARGV  for each counter: what to add, which may be negative, and the time to
--       live in milliseconds, or 0 to leave it

if #KEYS == 0 then
	return 1
end
for i, value in ipairs(redis.call('MGET', unpack(KEYS))) do
	local key, add, ttl = KEYS[i], ARGV[2 * i - 1], ARGV[2 * i]
	if value then
		value = whole(value)
		if negative(add) then
			value = minus(value, string.sub(add, 2))
		else
			value = plus(value, add)
			if less(largest, value) then
				value = largest
			end
		end
		if ttl == '0' then
			redis.call('SET', key, value, 'KEEPTTL')
		else
			redis.call('SET', key, value, 'PX', ttl)
		end
	end
end
return 1
