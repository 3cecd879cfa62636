module example.org/library

go 1.18

require github.com/xdrm-io/aicra v0.4.11
