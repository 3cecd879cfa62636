<?php
/*
 * Stubs of the classes and functions of PhalApi, so that the API classes of a project can be loaded without PhalApi.
 */
namespace PhalApi {
    function DI() { return \RulebookExport\Stub::used(); }
    function T($text) { return $text; }
    function SL() {}
    class Api extends \RulebookExport\ApiStub {}
}

namespace {
    function DI() { return \RulebookExport\Stub::used(); }
    function T($text) { return $text; }
    function SL() {}
    class PhalApi_Api extends \RulebookExport\ApiStub {}
}

namespace RulebookExport {
    /** Every value of PhalApi that exists only while the program runs: reading, calling or indexing it returns itself. */
    #[\AllowDynamicProperties]
    class Stub implements \ArrayAccess, \Countable, \IteratorAggregate
    {
        public static $uses = 0;
        public static function used() { self::$uses++; return new self(); }
        public function __construct() {}
        public function __get($name) { return $this; }
        public function __set($name, $value) {}
        public function __call($name, $arguments) { return $this; }
        public static function __callStatic($name, $arguments) { return self::used(); }
        public function __toString() { return ''; }
        public function offsetExists($at): bool { return false; }
        #[\ReturnTypeWillChange]
        public function offsetGet($at) { return $this; }
        public function offsetSet($at, $value): void {}
        public function offsetUnset($at): void {}
        public function count(): int { return 0; }
        public function getIterator(): \Iterator { return new \EmptyIterator(); }
    }

    #[\AllowDynamicProperties]
    class ApiStub
    {
        public function getRules() { return []; }
        protected function userCheck() {}
    }
}
