-- Appends one prompt to a session and returns the session as it was before, in
-- one step. The contract is that of behavior.History; guardtest.TestHistory holds
-- it. What follows from the old session and the prompt, both sides compute
-- alike: this script to store it, session.go to tell it.
--
-- KEYS[1]  the session
-- ARGV[1]  time, window, half-life (microseconds), points: doubles;
--          most pieces, most bytes of them: 16 bits each; digest, near: 8 bytes each
-- ARGV[2]  the piece as it is stored, or nothing
-- ARGV[3]  time to live, milliseconds
--
-- The value, all numbers big-endian:
--   version (1), last time, points, near, digests of the last four prompts
--   (newest first), how many of them, runs (same, nears, cycle), number of pieces, bytes of them,
--   and of each piece, oldest first: time, size, whole, text

local header, headerSize = '>Bddc8c8c8c8c8BI4I4I4BH', 73
local now, window, halfLife, given, mostPieces, mostBytes, digest, near = struct.unpack('>ddddHHc8c8', ARGV[1])
local piece = ARGV[2]

local before = redis.call('GET', KEYS[1]) or ''
local last, points, lastNear, d1, d2, d3, d4, known, same, nears, cycle, pieces, bytes = now, 0, '', '', '', '', '', 0, 0, 0, 0, 0, 0
if #before >= headerSize and string.byte(before) == 1 then
	local _
	_, last, points, lastNear, d1, d2, d3, d4, known, same, nears, cycle, pieces, bytes = struct.unpack(header, before)
	if now - last > window then
		last, points, known, pieces, bytes = now, 0, 0, 0, 0
	end
end

-- A clock that goes backwards (two gateways) must not make anything older.
points = points * 2 ^ (-math.max(now - last, 0) / halfLife)

local repeated = known > 0 and d1 == digest
local seen = repeated or known > 1 and d2 == digest or known > 2 and d3 == digest or known > 3 and d4 == digest
same = repeated and same + 1 or 1
nears = known > 0 and lastNear == near and nears + 1 or 1
cycle = seen and cycle + 1 or 1

if repeated then
	piece = ''
else
	d1, d2, d3, d4 = digest, d1, d2, d3
	known = math.min(known + 1, 4)
end
local size = math.max(#piece - 11, 0)
local from = headerSize + 1
while pieces > 0 and from + 10 <= #before do
	local at, old = struct.unpack('>dH', before, from)
	local room = size == 0 or pieces < mostPieces and bytes + size <= mostBytes
	if room and at >= now - window then
		break
	end
	from, pieces, bytes = from + 11 + old, pieces - 1, bytes - old
end
local kept = pieces > 0 and string.sub(before, from) or ''
if size > 0 then
	pieces, bytes = pieces + 1, bytes + size
end
local pad = '\0\0\0\0\0\0\0\0'
local function full(d)
	return #d == 8 and d or pad
end
redis.call('SET', KEYS[1],
	struct.pack(header, 1, math.max(last, now), points + given, near, d1, full(d2), full(d3), full(d4), known, same, nears, cycle, pieces, bytes)
		.. kept .. piece, 'PX', ARGV[3])
return before
