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
}
