package main

import "git.xdrm.io/go/aicra/response"

type ArticleController struct{}

func (ArticleController) Get(args response.Arguments) response.Response {
	res := response.New()
	res.Set("articles", []string{})
	return *res
}
