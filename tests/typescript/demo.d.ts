/** Articles 1.0.0 */
import type { Call, Calls, Download, FileArgument } from "./rulebook.js";

/** The functions of the API: `await rulebook<Api>(url)`. */
export interface Api extends Calls<Methods> {
  article: {
    /** Write a new article */
    create: Call<Methods["article.create"]>;
    /** Upload the picture of an article; it replaces the one before */
    illustrate: Call<Methods["article.illustrate"]>;
    line: {
      /** Lines of articles, at most 1000 of at most 100 articles */
      get: Call<Methods["article.line.get"]>;
    };
    /** A page of articles */
    list: Call<Methods["article.list"]>;
    /** The picture of an article */
    picture: Call<Methods["article.picture"]>;
    /** One article */
    read: Call<Methods["article.read"]>;
    /** Remove an article for good, and its picture */
    remove: Call<Methods["article.remove"]>;
    /** Replace an article: an author's own, or any as editor */
    replace: Call<Methods["article.replace"]>;
  };
  author: {
    getBaseInfo: {
      /** Who an author is */
      get: Call<Methods["author.getBaseInfo.get"]>;
      /** Who an author is */
      post: Call<Methods["author.getBaseInfo.post"]>;
    };
    getList: {
      /** Who has written most */
      get: Call<Methods["author.getList.get"]>;
      /** Who has written most */
      post: Call<Methods["author.getList.post"]>;
    };
  };
  iapi: {
    /** Write what the database has at some keys into files, all or none */
    cache: Call<Methods["iapi.cache"]>;
    file: {
      /** Download a file */
      download: Call<Methods["iapi.file.download"]>;
      /** Upload a file */
      upload: Call<Methods["iapi.file.upload"]>;
    };
    files: {
      /** Upload several files, all or none */
      upload: Call<Methods["iapi.files.upload"]>;
    };
  };
  publication: {
    read: {
      /** One article: /publication/read/3 */
      get: Call<Methods["publication.read.get"]>;
    };
    search: {
      /** Articles that hold some words, twenty on a page, the newest first */
      post: Call<Methods["publication.search.post"]>;
    };
  };
  site: {
    index: {
      /** A greeting */
      get: Call<Methods["site.index.get"]>;
      /** A greeting */
      post: Call<Methods["site.index.post"]>;
    };
  };
  user: {
    /** Log in */
    login: Call<Methods["user.login"]>;
    /** Log out: the token that this is asked with ends */
    logout: Call<Methods["user.logout"]>;
    /** A user's public profile */
    read: Call<Methods["user.read"]>;
    /** Register as an author */
    register: Call<Methods["user.register"]>;
    /** Change a profile: what is left out stays */
    update: Call<Methods["user.update"]>;
  };
}

/** What each method takes and gives, by its id. */
export interface Methods {
  /** Who an author is */
  "author.getBaseInfo.get": {
    arguments: {
      /** Which user */
      author_id: number | bigint | string;
    };
    answer: {
      /** The name that others see */
      name: string;
      /** What others shall know */
      about: string;
      /** How many articles there are by this author */
      articles: number;
    };
    errors: "no_such_author";
  };
  /** Who an author is */
  "author.getBaseInfo.post": {
    arguments: {
      /** Which user */
      author_id: number | bigint | string;
    };
    answer: {
      /** The name that others see */
      name: string;
      /** What others shall know */
      about: string;
      /** How many articles there are by this author */
      articles: number;
    };
    errors: "no_such_author";
  };
  /** Who has written most */
  "author.getList.get": {
    arguments: {
      /**
       * How many authors
       * @default 10
       */
      size?: number | bigint | string | null;
    };
    answer: {
      /** The authors, who has written most first */
      list: Array<{
        /** Which user */
        id: number;
        /** The name that others see */
        name: string;
        /** How many articles there are by this author */
        articles: number;
      }>;
    };
    errors: never;
  };
  /** Who has written most */
  "author.getList.post": {
    arguments: {
      /**
       * How many authors
       * @default 10
       */
      size?: number | bigint | string | null;
    };
    answer: {
      /** The authors, who has written most first */
      list: Array<{
        /** Which user */
        id: number;
        /** The name that others see */
        name: string;
        /** How many articles there are by this author */
        articles: number;
      }>;
    };
    errors: never;
  };
  /** A greeting */
  "site.index.get": {
    arguments: {
      /**
       * Whom to greet
       * @default "reader"
       */
      username?: string | number | bigint | null;
    };
    answer: {
      /** What the site is called */
      title: string;
      /** The greeting */
      content: string;
      /** Now, in seconds since 1970 */
      time: number;
    };
    errors: never;
  };
  /** A greeting */
  "site.index.post": {
    arguments: {
      /**
       * Whom to greet
       * @default "reader"
       */
      username?: string | number | bigint | null;
    };
    answer: {
      /** What the site is called */
      title: string;
      /** The greeting */
      content: string;
      /** Now, in seconds since 1970 */
      time: number;
    };
    errors: never;
  };
  /** A page of articles */
  "article.list": {
    arguments: {
      /** Only articles that hold this in title or text, whatever the case */
      words?: string | null;
      /** Only articles about this, whatever the case */
      tag?: string | null;
      /** Only articles in this language, as ISO 639-1 */
      language?: string | null;
      /** Only articles of the user with this login */
      author?: string | null;
      /**
       * What comes first
       * @default "newest"
       */
      order?: "newest" | "oldest" | "title" | null;
      /**
       * Which page, from 1
       * @default 1
       */
      page?: number | bigint | null;
      /**
       * Articles on a page
       * @default 20
       */
      size?: number | bigint | null;
    };
    answer: {
      /** The articles of the page */
      articles: Array<{
        /** Which article */
        article_id: number;
        /** Its title */
        title: string;
        /** The language it is written in */
        language: string;
        /** The login of who wrote it */
        author: string;
        /** What it is about */
        tags: Array<string>;
        /** When it was written */
        created: string;
      }>;
      /** Articles on all pages */
      total: number;
    };
    errors: never;
  };
  /** Write a new article */
  "article.create": {
    arguments: {
      /** Its title */
      title: string;
      /** Its text; every line break begins a new line */
      text: string;
      /**
       * The language it is written in, as ISO 639-1
       * @default "en"
       */
      language?: string | null;
      /**
       * What it is about
       * @default []
       */
      tags?: ReadonlyArray<string> | null;
    };
    answer: {
      /** Which article it became */
      article_id: number;
    };
    errors: "no_such_author";
  };
  /** Lines of articles, at most 1000 of at most 100 articles */
  "article.line.get": {
    arguments: {
      /** Which article; all where it is left empty */
      article_id?: number | bigint | null;
      /** Which line, from 1; all where it is left out */
      no_line?: number | bigint | null;
    };
    answer: {
      /** The matching lines, article by article */
      lines: Array<{
        /** Of which article */
        article_id: number;
        /** Which line, from 1 */
        no_line: number;
        /** Its text */
        text: string;
      }>;
    };
    errors: "no_such_article" | "no_such_line";
  };
  /** One article */
  "article.read": {
    arguments: {
      /** Which article */
      article_id: number | bigint;
    };
    answer: {
      /** The article */
      article: {
        /** Which article */
        article_id: number;
        /** Its title */
        title: string;
        /** Its text */
        text: string;
        /** The language it is written in */
        language: string;
        /** The login of who wrote it */
        author: string;
        /** Who wrote it */
        author_id: number;
        /** What it is about */
        tags: Array<string>;
        /** When it was written */
        created: string;
        /** When it was last changed */
        changed: string;
        /** Its picture, if it has one */
        picture?: {
          /** What it shows */
          alt: string;
          /** What kind of image it is */
          media_type: string;
          /** Its length in bytes */
          size: number;
        } | null;
      };
    };
    errors: "no_such_article";
  };
  /** Replace an article: an author's own, or any as editor */
  "article.replace": {
    arguments: {
      /** Which article */
      article_id: number | bigint;
      /** Its new title */
      title: string;
      /** Its new text */
      text: string;
      /** The language it is written in, as ISO 639-1 */
      language: string;
      /** What it is about */
      tags: ReadonlyArray<string>;
    };
    answer: {
      /** When it was changed */
      changed: string;
    };
    errors: "no_such_article" | "not_yours";
  };
  /** Remove an article for good, and its picture */
  "article.remove": {
    arguments: {
      /** Which article */
      article_id: number | bigint;
    };
    answer: {};
    errors: "no_such_article";
  };
  /** The picture of an article */
  "article.picture": {
    arguments: {
      /** Which article */
      article_id: number | bigint;
    };
    answer: Download;
    errors: "no_such_article" | "no_such_picture";
  };
  /** Upload the picture of an article; it replaces the one before */
  "article.illustrate": {
    arguments: {
      /** Which article */
      article_id: number | bigint;
      /** The picture, at most 1 MiB */
      picture: FileArgument;
      /** What it shows, for those who do not see it */
      alt: string;
    };
    answer: {
      /** What kind of image it is, found from its content */
      media_type: string;
      /** Its length in bytes */
      size: number;
    };
    errors: "no_such_article" | "not_yours";
  };
  /** Write what the database has at some keys into files, all or none */
  "iapi.cache": {
    arguments: {
      /** Table and column */
      fromDB: "user_info.intro_json";
      /** Folder of the files */
      storePath: string;
      /** Primary key of each value */
      keys: ReadonlyArray<string>;
      /** Name of each file, in the same order */
      filenames: ReadonlyArray<string>;
    };
    answer: Array<string>;
    errors: "count_mismatch" | "duplicate_filename" | "no_value" | "not_allowed" | "name_taken" | "cache_too_large" | "not_cacheable" | "no_database" | "no_room";
  };
  /** Download a file */
  "iapi.file.download": {
    arguments: {
      /** Path and name of the file */
      filename: string;
    };
    answer: Download;
    errors: "no_such_file" | "not_allowed";
  };
  /** Upload a file */
  "iapi.file.upload": {
    arguments: {
      /** The file */
      content: FileArgument;
      /** Path and name that it is to have */
      filename: string;
    };
    answer: {};
    errors: "not_allowed" | "name_taken" | "precondition_failed" | "no_room";
  };
  /** Upload several files, all or none */
  "iapi.files.upload": {
    arguments: {
      /** The files */
      content: ReadonlyArray<FileArgument>;
      /** Path and name of each, in the same order */
      filename: ReadonlyArray<string>;
    };
    answer: {};
    errors: "count_mismatch" | "duplicate_filename" | "not_allowed" | "name_taken" | "precondition_failed" | "no_room";
  };
  /** One article: /publication/read/3 */
  "publication.read.get": {
    arguments: {
      /** Which article */
      article_id: number | bigint | string;
    };
    answer: {
      /** Its title */
      title: string;
      /** Its text */
      text: string;
      /** The language it is written in */
      language: string;
      /** The login of who wrote it */
      author: string;
    };
    errors: "no_such_article";
  };
  /** Articles that hold some words, twenty on a page, the newest first */
  "publication.search.post": {
    arguments: {
      /** What title or text hold, whatever the case */
      words?: string | null;
      /** The language they are written in, as ISO 639-1 */
      language?: string | null;
      /**
       * Which page, from 1
       * @default 1
       */
      page?: number | bigint | null;
    };
    answer: {
      /** The articles of the page */
      articles: Array<{
        /** Which article */
        article_id: number;
        /** Its title */
        title: string;
        /** The login of who wrote it */
        author: string;
      }>;
      /** Articles on all pages */
      total: number;
    };
    errors: never;
  };
  /** Register as an author */
  "user.register": {
    arguments: {
      /** The name to log in with */
      login: string;
      /** The name that others see */
      name: string;
      /** Ten characters or more */
      password: string;
      /**
       * What others shall know
       * @default ""
       */
      about?: string | null;
    };
    answer: {
      /** Which user it became */
      user_id: number;
    };
    errors: "login_taken";
  };
  /** Log in */
  "user.login": {
    arguments: {
      /** The login */
      login: string;
      /** The password */
      password: string;
    };
    answer: {
      /** Which user it is */
      user_id: number;
      /** To be sent as Authorization: Bearer … */
      token: string;
      /** When the token ends */
      until: string;
    };
    errors: "wrong_login";
  };
  /** Log out: the token that this is asked with ends */
  "user.logout": {
    arguments: {};
    answer: {};
    errors: never;
  };
  /** A user's public profile */
  "user.read": {
    arguments: {
      /** Which user */
      user_id: number | bigint;
    };
    answer: {
      /** The profile */
      user: {
        /** Which user */
        user_id: number;
        /** The login */
        login: string;
        /** The name that others see */
        name: string;
        /** What others shall know */
        about: string;
        /** What the user may do */
        role: "reader" | "author" | "editor" | "admin";
        /** When the user registered */
        since: string;
        /** How many articles the user has written */
        articles: number;
      };
    };
    errors: "no_such_user";
  };
  /** Change a profile: what is left out stays */
  "user.update": {
    arguments: {
      /** Which user */
      user_id: number | bigint;
      /** The name that others see */
      name?: string | null;
      /** What others shall know */
      about?: string | null;
    };
    answer: {
      /** The name as it is now */
      name: string;
      /** What others know now */
      about: string;
    };
    errors: "no_such_user";
  };
}

/** The ids of the methods. */
export type Id = keyof Methods;
