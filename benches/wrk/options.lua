-- Sends OPTIONS requests.
--
-- wrk -s options.lua URL

wrk.method = "OPTIONS"
