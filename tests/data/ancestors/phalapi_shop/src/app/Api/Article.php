<?php
namespace App\Api;

/**
 * Articles
 */
class Article extends \Shop\Base\ListApi {

    /**
     * Returns an article
     * @return int ret The code
     * @return object data The article
     * @return string data.name Its name
     * @return string msg The message
     */
    public function get() {
        return \App\Domain\Article::find();
    }
}
