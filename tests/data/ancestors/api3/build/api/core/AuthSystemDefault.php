<?php
namespace api\core;

class AuthSystemDefault implements AuthSystem {
	public static function permission($expected) {
		return true;
	}
}
