import { hash } from 'node:crypto'

/**
 * What the functions of model/store-entry.ts do, for some hundreds of calls in one round trip: Redis
 * runs nothing else in between, and each call sees what those before it did.
 *
 * KEYS[1] is the key of the epoch (`epochNameOf`), the others are the entries of the calls, in their
 * order. ARGV[1] is the time, or empty for the server's own, which it is but in tests; behind it
 * stands a text for each call: its name and what it is asked, with spaces between, the token last,
 * which may contain some. (An argument each costs both sides half as much again.) The answer is the
 * epoch, then two numbers per call. Without calls it only writes the epoch, so that a server which
 * takes no writes is found out.
 *
 * An entry is a list: the lease, the newest event, the event that waits, and how long the newest is
 * kept at least; each part a list or `false`. MessagePack keeps a held mark within 200 bytes.
 *
 * Numbers of Lua are doubles, so offsets are texts of digits, without zeros in front. Lua compares
 * texts as the server's locale says; of digits of the same number every locale says the same.
 */
export const script = `
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or time[1] * 1000 + math.floor(time[2] / 1000)

local epoch = redis.call('GET', KEYS[1])
if not epoch or #KEYS == 1 then
  epoch = epoch or time[1] .. '.' .. time[2]
  redis.call('SET', KEYS[1], epoch)
end

local TASK, VERSION, SOURCE, OFFSET, TIME, UNTIL, WINDOW = 1, 2, 3, 4, 5, 6, 7
local LEASE, NEWEST, WAITING, KEEP = 1, 2, 3, 4

local function isNotBelow(digits, others)
  if #digits ~= #others then return #digits > #others end
  return digits >= others
end
local function isCoveredBy(event, newest)
  if event[VERSION] ~= '' and newest[VERSION] ~= '' then
    return newest[VERSION] >= event[VERSION]
  end
  if event[SOURCE] == newest[SOURCE] then return isNotBelow(newest[OFFSET], event[OFFSET]) end
  return newest[TIME] > event[TIME]
end

local function load(key)
  local packed = redis.call('GET', key)
  local isRead, entry = pcall(cmsgpack.unpack, packed or '')
  -- What is not ours, or of a version to come, is as good as nothing.
  if not isRead or type(entry) ~= 'table' or type(entry[KEEP]) ~= 'number' then
    return { false, false, false, 0 }
  end
  local lease, newest, waiting, keep = entry[LEASE], entry[NEWEST], entry[WAITING], entry[KEEP]
  if lease and lease[2] <= now then entry[LEASE] = false end
  if newest and math.max(newest[UNTIL], newest[WINDOW], keep) <= now then entry[NEWEST] = false end
  if waiting and waiting[UNTIL] <= now then entry[WAITING] = false end
  if keep <= now then entry[KEEP] = 0 end
  return entry
end
local function save(key, entry)
  local lease, newest, waiting, ends = entry[LEASE], entry[NEWEST], entry[WAITING], entry[KEEP]
  if lease then ends = math.max(ends, lease[2]) end
  if newest then ends = math.max(ends, newest[UNTIL], newest[WINDOW]) end
  if waiting then ends = math.max(ends, waiting[UNTIL]) end
  if ends <= now then
    redis.call('DEL', key)
  else
    redis.call('SET', key, cmsgpack.pack(entry), 'PX', string.format('%.0f', ends - now))
  end
end
local function endLease(entry, token)
  if entry[LEASE] and entry[LEASE][1] == token then entry[LEASE] = false end
end
local function keepNewer(entry, part, event)
  local kept = entry[part]
  if not kept or kept[TASK] == event[TASK] or not isCoveredBy(event, kept) then
    entry[part] = event
  end
end

-- An event has five words in a text: task, version, source, offset, time.
local event = '([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*)'
local claim = '^claim ([^ ]*) ([^ ]*) ' .. event .. ' (.*)$'
local renew = '^renew ([^ ]*) (.*)$'
local complete = '^complete ([^ ]*) ([^ ]*) ' .. event .. ' (.*)$'
local release = '^release ([^ ]*) (.*)$'
local noteWaiting = '^noteWaiting ([^ ]*) ' .. event .. '$'

local NEW, BUSY, DONE, COVERED, SUPERSEDED = 0, 1, 2, 3, 4

local function refusal(entry, token, event, against)
  local lease, newest, waiting = entry[LEASE], entry[NEWEST], entry[WAITING]
  if lease and lease[1] ~= token then return BUSY, lease[2] - now end
  if against ~= 'lease' and newest and newest[TASK] ~= event[TASK] then
    local isCovered = isCoveredBy(event, newest)
    local left = newest[WINDOW] - now
    if left > 0 then return isCovered and COVERED or DONE, left end
    if against == 'order' and isCovered then return SUPERSEDED, 0 end
  end
  if against == 'order' and waiting and waiting[TASK] ~= event[TASK] then
    if isCoveredBy(event, waiting) and not isCoveredBy(waiting, event) then
      return SUPERSEDED, 0
    end
  end
  return NEW, 0
end

local calls = {
  claim = function(key, text)
    local leaseMs, against, task, version, source, offset, time, token = text:match(claim)
    local entry = load(key)
    local event = { task, version, source, offset, tonumber(time) }
    local answer, left = refusal(entry, token, event, against)
    if answer == NEW then
      entry[LEASE] = { token, now + leaseMs }
      save(key, entry)
    end
    return answer, left
  end,
  renew = function(key, text)
    local leaseMs, token = text:match(renew)
    local entry = load(key)
    if entry[LEASE] and entry[LEASE][1] ~= token then return BUSY, 0 end
    entry[LEASE] = { token, now + leaseMs }
    save(key, entry)
    return NEW, 0
  end,
  complete = function(key, text)
    local windowMs, keepMs, task, version, source, offset, time, token = text:match(complete)
    local entry = load(key)
    endLease(entry, token)
    local before = entry[NEWEST] or { [UNTIL] = 0, [WINDOW] = 0 }
    local untilMs = math.max(before[UNTIL], now + keepMs)
    -- What is older was acted on all the same, and opens a window; and nothing shortens what was said.
    local windowMs = math.max(before[WINDOW], now + windowMs)
    keepNewer(entry, NEWEST, { task, version, source, offset, tonumber(time), untilMs, windowMs })
    entry[NEWEST][WINDOW] = windowMs
    save(key, entry)
    return NEW, 0
  end,
  release = function(key, text)
    local keepMs, token = text:match(release)
    local entry = load(key)
    endLease(entry, token)
    if keepMs ~= '0' then entry[KEEP] = math.max(entry[KEEP], now + keepMs) end
    save(key, entry)
    return NEW, 0
  end,
  noteWaiting = function(key, text)
    local keepMs, task, version, source, offset, time = text:match(noteWaiting)
    local entry = load(key)
    keepNewer(entry, WAITING, { task, version, source, offset, tonumber(time), now + keepMs })
    entry[KEEP] = math.max(entry[KEEP], now + keepMs)
    save(key, entry)
    return NEW, 0
  end,
}

local answers = { epoch }
for i = 2, #KEYS do
  local text = ARGV[i]
  local answer, left = calls[text:match('^%a+')](KEYS[i], text)
  answers[2 * i - 2] = answer
  answers[2 * i - 1] = left
end
return answers
`

/** By which the server knows it once it has run. */
export const scriptSha = hash('sha1', script, 'hex')
