# Functions that run nginx with a site of a configuration in this repository. Source tests/external/common.sh first.

PATH=$PATH:/usr/sbin
command -v nginx >/dev/null || package nginx-light
command -v openssl >/dev/null || package openssl
command -v python3 >/dev/null || package python3

# free_port: prints a port on which no server listens.
free_port() {
  PYTHONPATH=tests/cluster python3 -c 'from processes import free_ports; print(*free_ports(1))'
}

# start_nginx PORT: starts nginx with the site that standard input contains, but with a certificate for localhost, and
# sets `site` to its URL. The certificate is in the file `$work/site.pem`.
start_nginx() {
  local folder=$work/nginx-$1 temporary
  mkdir "$folder"
  [ -e "$work/site.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout "$work/site.key" -out "$work/site.pem" 2>/dev/null
  sed "s,listen 443,listen 127.0.0.1:$1,; s,/etc/ssl/api.example,$work/site," >"$folder/site.conf"
  for temporary in client_body proxy fastcgi uwsgi scgi; do echo "${temporary}_temp_path $folder;"; done >"$folder/paths.conf"
  cat >"$folder/nginx.conf" <<CONFIGURATION
daemon off;
events {}
pid $folder/nginx.pid;
error_log stderr;
http {
    access_log off;
    include $folder/paths.conf;
    include $folder/site.conf;
}
CONFIGURATION
  nginx -t -q -p "$folder" -c "$folder/nginx.conf" || exit 1
  nginx -p "$folder" -c "$folder/nginx.conf" 2>"$folder/log" &
  servers+=($!)
  site=https://localhost:$1
  # No site forwards this path to a server.
  for _ in {1..200}; do
    curl --silent --cacert "$work/site.pem" --output /dev/null "$site/metrics" && return
    sleep 0.1
  done
  say "nginx failed to start:"
  cat "$folder/log" >&2
  exit 1
}
