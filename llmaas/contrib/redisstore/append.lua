-- Appends one prompt to a session and returns what is known of it, in one step.
-- The contract is that of behavior.History; guardtest.TestHistory holds it.
--
-- KEYS[1]  the session
-- ARGV     1 time, 2 window, 3 half-life: microseconds
--          4 digest, 5 near: 8 bytes each   6 points
--          7 piece   8 "1" if it is the whole prompt
--          9 most pieces   10 most bytes of them   11 time to live: milliseconds
--
-- The value is a MessagePack array:
--          last time, points, near, same, nears, cycle, digests, pieces
-- where pieces holds time, whole and text of each, oldest first.

local now, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local digest, near, piece = ARGV[4], ARGV[5], ARGV[7]

local value = redis.call('GET', KEYS[1])
local ok, s = pcall(cmsgpack.unpack, value or '')
-- What is no session, by its shape, is not one: it is written over.
if not ok or type(s) ~= 'table' or type(s[1]) ~= 'number' or type(s[8]) ~= 'table' or now - s[1] > window then
	s = {now, 0, '', 0, 0, 0, {}, {}}
end
local digests, pieces = s[7], s[8]

-- A clock that goes backwards (two gateways) must not make anything older.
local elapsed = math.max(now - s[1], 0)
local points = s[2] * 2 ^ (-elapsed / tonumber(ARGV[3]))

local function drop()
	for _ = 1, 3 do
		table.remove(pieces, 1)
	end
end
while #pieces > 0 and pieces[1] < now - window do
	drop()
end

local known, seen = #digests > 0, false
for _, d in ipairs(digests) do
	seen = seen or d == digest
end
local repeated = digests[1] == digest
local same = repeated and s[4] + 1 or 1
local nears = known and s[3] == near and s[5] + 1 or 1
local cycle = seen and s[6] + 1 or 1

local reply = {same, nears, cycle, string.format('%.17g', points)}
for i = 1, #pieces, 3 do
	reply[#reply + 1] = pieces[i + 1]
	reply[#reply + 1] = pieces[i + 2]
end

if not repeated then
	table.insert(digests, 1, digest)
	digests[5] = nil
	if #piece > 0 then
		local bytes = #piece
		for i = 3, #pieces, 3 do
			bytes = bytes + #pieces[i]
		end
		while #pieces / 3 >= tonumber(ARGV[9]) or bytes > tonumber(ARGV[10]) do
			bytes = bytes - #pieces[3]
			drop()
		end
		pieces[#pieces + 1] = now
		pieces[#pieces + 1] = ARGV[8]
		pieces[#pieces + 1] = piece
	end
end
s = {math.max(s[1], now), points + tonumber(ARGV[6]), near, same, nears, cycle, digests, pieces}
redis.call('SET', KEYS[1], cmsgpack.pack(s), 'PX', ARGV[11])
return reply
