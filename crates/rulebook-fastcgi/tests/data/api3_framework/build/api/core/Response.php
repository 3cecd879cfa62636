<?php
namespace api\core;

/** A class of the framework, with the behaviour that its documents describe. */
class Response {
	public $error;

	public function __construct($error = null) {
		$this->error = $error;
	}

	public function serialize() {
		http_response_code($this->error->get() === 0 ? 200 : 417);
		header('Content-Type: application/json; charset=utf-8');
		return json_encode(array('error' => $this->error->get(), 'ErrorDescription' => $this->error->explicit()));
	}
}
