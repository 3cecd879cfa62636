-- Asks for the description of what is at the URL.
--
-- wrk -s options.lua URL

wrk.method = "OPTIONS"
