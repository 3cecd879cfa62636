-- A script for wrk that sends OPTIONS requests.
--
-- wrk -s options.lua URL

wrk.method = "OPTIONS"
