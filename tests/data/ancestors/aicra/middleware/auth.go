package main

import "net/http"

type AuthMiddleware struct{}

func (mw AuthMiddleware) Inspect(req http.Request, scope *[]string) {
	if len(req.Header.Get("Authorization")) > 0 {
		*scope = append(*scope, "author")
	}
}
