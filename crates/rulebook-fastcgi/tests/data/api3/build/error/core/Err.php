<?php
namespace error\core;

class Err {
	const Success = 0;
	const NoSuchArticle = 12;
	const Locked = 13;
}
