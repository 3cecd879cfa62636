<?php
namespace api\module;

use error\core\Error;

class article {
	public function read($arguments) {
		if ($arguments['article_id'] === 404) {
			return array('error' => new Error(12));
		}
		return array('title' => 'article', 'log' => array('read'));
	}

	public function lock($arguments) {
		return array();
	}
}
