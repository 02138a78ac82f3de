-- Whole numbers from 0 on, as decimal strings. A Lua number is a double, which is
-- exact up to 2^53 only, and nano-euro pass that at 9,007,199 EUR: so numbers
-- are taken apart into what is above and below 10^9.

local largest = '9223372036854775807' -- of an int64

local function split(s)
	if #s > 20 or not string.find(s, '^%d+$') then
		error('got a value that is no whole number')
	end
	return tonumber(string.sub(s, 1, -10)) or 0, tonumber(string.sub(s, -9))
end

local function join(high, low)
	if high == 0 then
		return string.format('%.0f', low)
	end
	return string.format('%.0f%09.0f', high, low)
end

local function plus(a, b)
	local ah, al = split(a)
	local bh, bl = split(b)
	local high, low = ah + bh, al + bl
	if low >= 1e9 then
		high, low = high + 1, low - 1e9
	end
	return join(high, low)
end

local function less(a, b)
	local ah, al = split(a)
	local bh, bl = split(b)
	return ah < bh or ah == bh and al < bl
end

-- minus is a - b, or 0 where b is the larger.
local function minus(a, b)
	if less(a, b) then
		return '0'
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
