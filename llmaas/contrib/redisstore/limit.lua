-- Requests under way are counted for each gateway by itself: what one had under
-- way when it died is dropped when it has changed nothing for the longest that a
-- call can take, however busy the tenant is elsewhere. The value is a hash: by
-- gateway its count, and when it last changed that, in milliseconds by the
-- server's clock. It is bounded by the gateways that lived in that time.

local gateway, longest = ARGV[1], ARGV[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- underway returns the sum over all gateways, and what this one has, if any.
local function underway(key)
	local sum, own = '0', nil
	local all = redis.call('HGETALL', key)
	for i = 1, #all, 2 do
		local count, touched = string.match(all[i + 1], '^(%d+) (%d+)$')
		count = whole(count or '')
		if now - tonumber(touched) >= tonumber(longest) then
			redis.call('HDEL', key, all[i])
		else
			sum = plus(sum, count)
			if all[i] == gateway then
				own = count
			end
		end
	end
	return sum, own
end

local function setunderway(key, count)
	redis.call('HSET', key, gateway, string.format('%s %.0f', count, now))
	redis.call('PEXPIRE', key, longest)
end
