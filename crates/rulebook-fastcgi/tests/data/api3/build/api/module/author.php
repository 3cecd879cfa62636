<?php
namespace api\module;

class author {

	public function read($params) {
		return ['author' => 'author ' . $params['URL_0']];
	}
}
