-- Posts one body with the keys of all callers in turn.
--
-- wrk -s post.lua URL -- MEDIA_TYPE BODY TOKEN…
--
-- The requests are put together before the first is sent: a round measures the server, not this file.

local requests = {}
local callers = 0
local turn = 0

function init(args)
  local media_type, body = args[1], args[2]
  callers = #args - 2
  for n = 0, callers - 1 do
    local headers = {
      ["Authorization"] = "Bearer " .. args[n + 3],
      ["Content-Type"] = media_type,
    }
    requests[n] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  turn = (turn + 1) % callers
  return requests[turn]
end
