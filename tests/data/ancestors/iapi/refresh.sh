#!/bin/sh
# Refreshes the caches of the shop.
curl -s https://shop.example.org/internal/cache -H "Authorization: Bearer $KEY" \
  -d fromDB=user_info.intro_json -d storePath=./cache/user-intro -d keys=id001 -d filenames=about-us.json
