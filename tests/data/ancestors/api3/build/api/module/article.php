<?php
namespace api\module;

use \api\core\Request;
use \error\core\Err;

class article {

	public function __construct() {
		$this->database = new \PDO('sqlite:articles.db');
	}

	public function read($params) {
		$request = new Request('author/read', ['URL_0' => $params['article_id']]);
		$response = $request->dispatch();
		if ($response->error->get() !== Err::Success)
			return ['error' => new \error\core\Error(Err::NoSuchArticle)];
		return ['title' => 'An article', 'body' => 'by ' . $response->get('author')];
	}

	public function write($params) {
		return ['id' => 1];
	}

	public function export() {
		return ['body' => 'id,title', 'headers' => ['Content-Type' => 'text/csv']];
	}

	public function __destruct() {
		$this->database = null;
	}
}
