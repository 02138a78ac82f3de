-- Whole numbers from 0 on, as decimal strings without leading zeros. A Lua number
-- is a double, which is exact up to 2^53 only, and nano-euro pass that at
-- 9,007,199 EUR: so long numbers are taken apart into what is above and below 10^9.

local largest = '9223372036854775807' -- of an int64

-- whole is a number that stood on the server, where others may write too.
local function whole(s)
	if s == '0' or #s <= 19 and string.find(s, '^[1-9]%d*$') then
		return s
	end
	error('got a value that is no whole number')
end

local function less(a, b)
	return #a < #b or #a == #b and a < b
end

-- short reports whether the number and the sum of two such are exact as doubles.
local function short(s)
	return #s < 16
end

local function split(s)
	return tonumber(string.sub(s, 1, -10)) or 0, tonumber(string.sub(s, -9))
end

local function join(high, low)
	if high == 0 then
		return string.format('%.0f', low)
	end
	return string.format('%.0f%09.0f', high, low)
end

local function plus(a, b)
	if short(a) and short(b) then
		return string.format('%.0f', a + b)
	end
	local ah, al = split(a)
	local bh, bl = split(b)
	local high, low = ah + bh, al + bl
	if low >= 1e9 then
		high, low = high + 1, low - 1e9
	end
	return join(high, low)
end

-- minus is a - b, or 0 where b is the larger.
local function minus(a, b)
	if less(a, b) then
		return '0'
	end
	if short(a) then
		return string.format('%.0f', a - b)
	end
	local ah, al = split(a)
	local bh, bl = split(b)
	local high, low = ah - bh, al - bl
	if low < 0 then
		high, low = high - 1, low + 1e9
	end
	return join(high, low)
end

local function negative(s)
	return string.byte(s) == 45
end

-- exceeds reports whether a is more than a limit, which may be negative.
local function exceeds(a, limit)
	return negative(limit) or less(limit, a)
end
