-- Claims requests of a limit in the current period.
--
-- KEYS[1]  the name of the limit and of the caller
-- ARGV     the requests in a period, the seconds of a period (0: no period), the needed and the desired requests, and
--          the number of shares into which the remaining requests are divided (0: no share is granted)
--
-- Returns the granted requests, the remaining requests, the number of the period, and the milliseconds until its end.
local limit, seconds = tonumber(ARGV[1]), tonumber(ARGV[2])
local needed, desired, shares = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local period, length = 0, seconds * 1000
if seconds > 0 then
  period = math.floor(now / length)
end

-- The value is the number of the period, and the number of requests that have been granted in it.
local used = 0
local stored = redis.call('GET', KEYS[1])
if stored then
  local known, count = string.match(stored, '^(%d+):(%d+)$')
  known, count = tonumber(known), tonumber(count)
  -- If the clock has been set back a little, the next period has already begun.
  if known and (known == period or known == period + 1) then
    period, used = known, count
  end
end

local left = 0
if seconds > 0 then
  left = (period + 1) * length - now
end
local remaining = math.max(limit - used, 0)
if remaining < needed then
  return { 0, remaining, period, left }
end
local share = 0
if shares > 0 then
  share = math.floor(remaining / shares)
end
local granted = math.min(math.max(desired, share), remaining)
local value = string.format('%d:%d', period, used + granted)
if seconds > 0 then
  redis.call('SET', KEYS[1], value, 'PX', left + 1000)
else
  redis.call('SET', KEYS[1], value)
end
return { granted, remaining - granted, period, left }
