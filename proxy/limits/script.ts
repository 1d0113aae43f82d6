// Owns what Redis is asked to do, in its own language: the arithmetic of limits/window-count.ts, atomic over all keys of a
// request. The server's clock alone decides what time it is; of the calendar it is told a few boundaries.
import type { Charge, Correction } from './counters.ts'
import { fraction } from './window-count.ts'
import { slices, type Window } from './window.ts'

/**
 * KEYS are hashes. `u` and `w` are what is used and until when (of a bucket: as of when); slices of a sliding window are
 * `0` to `12`, each with its number and its count. Every kind gives used, mark, and what is left of the window.
 */
const shared = `
local t = redis.call('time')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local slices = ${slices}

-- The end of the period that holds now. Whoever sent these four has a clock of its own: where it is further off than they
-- reach, the periods beyond them are taken to be as long as the last of them.
local function period_end(p)
  if now < p[1] then
    local length = p[2] - p[1]
    return p[1] - math.floor((p[1] - 1 - now) / length) * length
  end
  for i = 2, 4 do
    if now < p[i] then return p[i] end
  end
  local length = p[4] - p[3]
  return p[4] + (math.floor((now - p[4]) / length) + 1) * length
end

local function whole(number)
  return string.format('%.0f', number)
end

local function ring(key, mark)
  local found, counts, used = redis.call('hmget', key, ${Array.from({ length: slices + 1 }, (_, i) => `'${i}'`).join(', ')}), {}, 0
  for i = 1, slices + 1 do
    if found[i] then
      local slice, count = string.match(found[i], '^(%d+):(%d+)$')
      slice, count = tonumber(slice), tonumber(count)
      if slice > mark - slices - 1 and slice <= mark then
        counts[slice] = count
        used = used + count
      end
    end
  end
  return counts, used
end

local function look(key, kind, p)
  if kind == 's' then
    local mark = math.floor(now / p[2])
    local counts, used = ring(key, mark)
    local left = p[1]
    for slice = mark, mark - slices, -1 do
      if counts[slice] and counts[slice] > 0 then
        left = (slice + slices + 1) * p[2] - now
        break
      end
    end
    return used, mark, left, counts
  end
  local found = redis.call('hmget', key, 'u', 'w')
  local used, mark = tonumber(found[1] or '0'), tonumber(found[2] or '0')
  if kind == 'b' then
    used = math.max(0, used - (now - mark) * p[2])
    return used, now, used / p[2]
  end
  local ends = now + p[1]
  if kind == 'c' then
    ends = math.max(period_end(p), mark)
  elseif mark > now then
    ends = mark
  end
  if mark ~= ends then used = 0 end
  return used, ends, ends - now
end

local function write(key, kind, p, used, mark, counts, slice)
  local life
  if kind == 's' then
    redis.call('hset', key, whole(slice % (slices + 1)), whole(slice) .. ':' .. whole(counts[slice]))
    life = p[1] + 2 * p[2]
  elseif kind == 'b' then
    redis.call('hset', key, 'u', string.format('%.17g', used), 'w', whole(now))
    life = used / p[2] + 1000
  else
    redis.call('hset', key, 'u', whole(used), 'w', whole(mark))
    life = mark - now + 1000
  end
  redis.call('pexpire', key, whole(math.ceil(math.max(life, 1))))
end
`

/** For each key: kind, quota, amount, whether it may refuse, and four parameters of its window. */
export const takeScript = `${shared}
local admitted, seen = 1, {}
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 8
  local kind, quota, amount = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local p = { tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8]) }
  local used, mark, left, counts = look(key, kind, p)
  local over = used + math.max(amount, 1) - quota
  local wait = 0
  if over > ${fraction} then
    if ARGV[at + 4] == '1' then admitted = 0 end
    wait = left
    if kind == 'b' then
      wait = math.min(over / p[2], left)
    elseif kind == 's' then
      for slice = mark - slices, mark do
        over = over - (counts[slice] or 0)
        if over <= 0 then
          wait = (slice + slices + 1) * p[2] - now
          break
        end
      end
    end
  end
  seen[i] = { kind, p, used, mark, left, counts, wait, amount }
end
local reply = { admitted }
for i, key in ipairs(KEYS) do
  local kind, p, used, mark, left, counts, wait, amount = unpack(seen[i], 1, 8)
  if admitted == 1 then
    wait = 0
    if amount > 0 then
      used = used + amount
      if kind == 's' then
        counts[mark] = (counts[mark] or 0) + amount
        left = (slices + 1) * p[2] - now % p[2]
      elseif kind == 'b' then
        left = used / p[2]
      end
      write(key, kind, p, used, mark, counts, mark)
    end
  end
  local at = (i - 1) * 4 + 1
  reply[at + 1], reply[at + 2] = math.ceil(used), math.ceil(left)
  reply[at + 3], reply[at + 4] = math.ceil(wait), mark
end
return reply
`

/** A process that has nothing to settle for so long has nothing waiting either. */
const settledSecondsMax = 7 * 86_400

/**
 * For each key but the last: kind, mark, what is added, and four parameters of its window. The last key says which of one
 * process's corrections was made last; the last argument is the number of these. Its connection keeps their order.
 */
export const correctScript = `${shared}
local settled, number = KEYS[#KEYS], tonumber(ARGV[#ARGV])
if number <= tonumber(redis.call('get', settled) or '0') then return 0 end
redis.call('set', settled, whole(number), 'EX', ${settledSecondsMax})
for i = 1, #KEYS - 1 do
  local key = KEYS[i]
  local at = (i - 1) * 7
  local kind, was, delta = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local p = { tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7]) }
  local used, mark, left, counts = look(key, kind, p)
  if kind == 's' then
    local here = was > mark - slices - 1 and was <= mark
    if here or delta > 0 then
      local slice = here and was or mark
      counts[slice] = math.max(0, (counts[slice] or 0) + delta)
      write(key, kind, p, used, mark, counts, slice)
    end
  else
    local fits = was == mark or delta > 0
    if kind == 'b' then
      fits = true
      if delta < 0 then delta = math.min(0, delta + (now - was) * p[2]) end
    end
    if fits then write(key, kind, p, math.max(0, used + delta), mark) end
  end
end
return 1
`

export function takeArguments({ quota, amount, shadow, window }: Charge, wallMs: number): (string | number)[] {
  return [letters[window.kind], quota, amount, shadow === true ? 0 : 1, ...parameters(window, wallMs)]
}

export function correctArguments({ mark, delta, window }: Correction, wallMs: number): (string | number)[] {
  return [letters[window.kind], mark, delta, ...parameters(window, wallMs)]
}

const letters = { first: 'f', calendar: 'c', sliding: 's', bucket: 'b' } as const

function parameters(window: Window, wallMs: number): readonly number[] {
  switch (window.kind) {
    case 'first':
      return [window.lengthMs, 0, 0, 0]
    case 'calendar':
      return window.calendar.around(wallMs)
    case 'sliding':
      return [window.lengthMs, window.sliceMs, 0, 0]
    default:
      return [window.lengthMs, window.perMs, 0, 0]
  }
}
