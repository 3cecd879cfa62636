package main

import (
	"log"
	"net/http"
	"strings"

	"github.com/xdrm-io/aicra"
)

/* The definition of the library: a string such as `[]`. */
const definition = `[
	{
		"method": "GET",
		"path": "/book/{id}",
		"scope": [],
		"info": "reads a book",
		"in": {
			"{id}": { "info": "the book", "type": "uint", "name": "ID" },
			"GET@page": { "info": "its page", "type": "?uint", "name": "Page" }
		},
		"out": {
			"title": { "info": "its title", "type": "string(1,30)", "name": "Title" },
			"pages": { "info": "its pages", "type": "pages", "name": "Pages" }
		}
	}
]`

func main() {
	builder := &aicra.Builder{}
	if err := builder.Setup(strings.NewReader(definition)); err != nil {
		log.Fatalf("invalid \"definition\": %s", err)
	}
	builder.WithContext(func(next http.Handler) http.Handler {
		return next
	})
	log.Print(`done`)
}
