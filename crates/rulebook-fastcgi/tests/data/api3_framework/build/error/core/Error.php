<?php
namespace error\core;

class Error {
	private $error;

	public function __construct($error) {
		$this->error = $error;
	}

	public function get() {
		return $this->error;
	}

	public function explicit() {
		return $this->error === 12 ? 'no such article' : 'all right';
	}
}
