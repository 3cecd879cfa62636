-- A script for wrk that sends requests with several bearer tokens in turn.
--
-- wrk -s keyed.lua URL -- MEDIA_TYPE FILE TOKEN…
--
-- FILE contains the body of POST requests; if it is empty, GET requests are sent. All requests are built before the first
-- is sent, so that this script does not affect the measurement.

local requests = {}
local callers = 0
local turn = 0

function init(args)
  local file = assert(io.open(args[2], "rb"))
  local body = file:read("*a")
  file:close()
  callers = #args - 2
  for n = 0, callers - 1 do
    local headers = { ["Authorization"] = "Bearer " .. args[n + 3] }
    if body == "" then
      requests[n] = wrk.format("GET", nil, headers)
    else
      headers["Content-Type"] = args[1]
      requests[n] = wrk.format("POST", nil, headers, body)
    end
  end
end

function request()
  turn = (turn + 1) % callers
  return requests[turn]
end
