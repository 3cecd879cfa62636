<?php
namespace api\module;

use \api\core\Request;
use \error\core\Err;
use \error\core\Error;

class article {

	private $log;

	public function __construct() {
		$this->log = ['begun'];
	}

	public function read($params) {
		if ($params['article_id'] === 404)
			return ['error' => new Error(Err::NoSuchArticle)];

		$request = new Request('author/read', ['URL_0' => $params['article_id']]);

		if( $request->error->get() !== Err::Success )
			return ['error' => $request->error];

		$response = $request->dispatch();
		return [
			'error' => new Error(Err::Success),
			'title' => "article {$params['article_id']}",
			'author' => $response->get('author'),
			'lang' => $params['lang'],
			'log' => $this->log
		];
	}

	public function write($params) {
		echo "a debugging message";
		return ['written' => $params];
	}

	public function lock($params) {
		return ['error' => new Error(Err::Locked)];
	}

	public function purge($params) {
		$request = new Request('author/read', []);
		return ['done' => $request->error->get() === Err::Success];
	}

	public function broken($params) {
		throw new \RuntimeException('the database is away');
	}

	public function picture($params) {
		$file = $params['picture'];
		return ['name' => $file['name'], 'size' => $file['size'], 'title' => $params['title']];
	}

	public function export($params) {
		if ($params['year'] === 1900)
			return ['error' => new Error(Err::NoSuchArticle)];

		return [
			'headers' => [
				'Content-Type' => 'text/csv',
				'Content-Disposition' => 'attachment; filename="articles.csv"',
				'Content-Length' => '999'
			],
			'body' => "id,title\n{$params['year']},\"a title\"\n"
		];
	}

	private function hidden($params) {
		return [];
	}

	public function __destruct() {
		error_log('article: destroyed');
	}
}
