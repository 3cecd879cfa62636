/** Articles 1.0.0 */
import type { Call, Calls, Download, FileArgument } from "./rulebook.js";

/** The functions of the API: `await rulebook<Api>(url)`. */
export interface Api extends Calls<Methods> {
  article: {
    /** Create an article */
    create: Call<Methods["article.create"]>;
    /** Upload the picture of an article, replacing the previous one */
    illustrate: Call<Methods["article.illustrate"]>;
    line: {
      /** Return lines of articles, at most 1000 lines of at most 100 articles */
      get: Call<Methods["article.line.get"]>;
    };
    /** List articles, page by page */
    list: Call<Methods["article.list"]>;
    /** Return the picture of an article */
    picture: Call<Methods["article.picture"]>;
    /** Return an article */
    read: Call<Methods["article.read"]>;
    /** Delete an article and its picture permanently */
    remove: Call<Methods["article.remove"]>;
    /** Replace an article. Authors may replace their own articles, editors all */
    replace: Call<Methods["article.replace"]>;
  };
  author: {
    getBaseInfo: {
      /** Return an author */
      get: Call<Methods["author.getBaseInfo.get"]>;
      /** Return an author */
      post: Call<Methods["author.getBaseInfo.post"]>;
    };
    getList: {
      /** List the authors with the most articles */
      get: Call<Methods["author.getList.get"]>;
      /** List the authors with the most articles */
      post: Call<Methods["author.getList.post"]>;
    };
  };
  iapi: {
    /** Write values of the database to files, all or none */
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
      /** Return an article: /publication/read/3 */
      get: Call<Methods["publication.read.get"]>;
    };
    search: {
      /**
       * Search articles, newest first, twenty on a page
       * @deprecated since 2026-01-01, available until 2099-01-01; use article.list instead
       */
      post: Call<Methods["publication.search.post"]>;
    };
  };
  site: {
    index: {
      /** Return a greeting */
      get: Call<Methods["site.index.get"]>;
      /** Return a greeting */
      post: Call<Methods["site.index.post"]>;
    };
  };
  user: {
    /** Log in */
    login: Call<Methods["user.login"]>;
    /** Log out: revoke the token of this request */
    logout: Call<Methods["user.logout"]>;
    /** Return the public profile of a user */
    read: Call<Methods["user.read"]>;
    /** Register as an author */
    register: Call<Methods["user.register"]>;
    /** Change a profile; omitted members stay unchanged */
    update: Call<Methods["user.update"]>;
  };
}

/** The arguments, result and errors of each method, by its id. */
export interface Methods {
  /** Return an author */
  "author.getBaseInfo.get": {
    arguments: {
      /** The id of the user */
      author_id: number | bigint | string;
    };
    result: {
      /** The display name */
      name: string;
      /** The author's description */
      about: string;
      /** The number of articles by this author */
      articles: number;
    };
    errors: "no_such_author";
  };
  /** Return an author */
  "author.getBaseInfo.post": {
    arguments: {
      /** The id of the user */
      author_id: number | bigint | string;
    };
    result: {
      /** The display name */
      name: string;
      /** The author's description */
      about: string;
      /** The number of articles by this author */
      articles: number;
    };
    errors: "no_such_author";
  };
  /** List the authors with the most articles */
  "author.getList.get": {
    arguments: {
      /**
       * The maximum number of authors
       * @default 10
       */
      size?: number | bigint | string | null;
    };
    result: {
      /** The authors, ordered by the number of their articles */
      list: Array<{
        /** The id of the user */
        id: number;
        /** The display name */
        name: string;
        /** The number of articles by this author */
        articles: number;
      }>;
    };
    errors: never;
  };
  /** List the authors with the most articles */
  "author.getList.post": {
    arguments: {
      /**
       * The maximum number of authors
       * @default 10
       */
      size?: number | bigint | string | null;
    };
    result: {
      /** The authors, ordered by the number of their articles */
      list: Array<{
        /** The id of the user */
        id: number;
        /** The display name */
        name: string;
        /** The number of articles by this author */
        articles: number;
      }>;
    };
    errors: never;
  };
  /** Return a greeting */
  "site.index.get": {
    arguments: {
      /**
       * The name of the reader
       * @default "reader"
       */
      username?: string | number | bigint | null;
    };
    result: {
      /** The name of the site */
      title: string;
      /** The greeting */
      content: string;
      /** The current time in seconds since 1970 */
      time: number;
    };
    errors: never;
  };
  /** Return a greeting */
  "site.index.post": {
    arguments: {
      /**
       * The name of the reader
       * @default "reader"
       */
      username?: string | number | bigint | null;
    };
    result: {
      /** The name of the site */
      title: string;
      /** The greeting */
      content: string;
      /** The current time in seconds since 1970 */
      time: number;
    };
    errors: never;
  };
  /** List articles, page by page */
  "article.list": {
    arguments: {
      /** Only articles with this text in the title or the text, ignoring case */
      words?: SearchTextArgument | null;
      /** Only articles with this tag, ignoring case */
      tag?: string | null;
      /** Only articles in this language (ISO 639-1 code) */
      language?: LanguageArgument | null;
      /** Only articles of the user with this login */
      author?: string | null;
      /**
       * The order of the articles
       * @default "newest"
       */
      order?: "newest" | "oldest" | "title" | null;
      /**
       * The number of the page, from 1
       * @default 1
       */
      page?: number | bigint | null;
      /**
       * The number of articles on a page
       * @default 20
       */
      size?: number | bigint | null;
    };
    result: {
      /** The articles of the page */
      articles: Array<ListedArticle>;
      /** The number of articles on all pages */
      total: number;
    };
    errors: never;
  };
  /** Create an article */
  "article.create": {
    arguments: {
      /** The title */
      title: TitleArgument;
      /** The text; each line break begins a new line */
      text: TextArgument;
      /**
       * The language of the article (ISO 639-1 code)
       * @default "en"
       */
      language?: LanguageArgument | null;
      /**
       * The tags
       * @default []
       */
      tags?: TagsArgument | null;
    };
    result: {
      /** The id of the new article */
      article_id: number;
    };
    errors: "no_such_author";
  };
  /** Return lines of articles, at most 1000 lines of at most 100 articles */
  "article.line.get": {
    arguments: {
      /** The id of the article; all articles if it is empty */
      article_id?: number | bigint | null;
      /** The number of the line, from 1; all lines if it is omitted */
      no_line?: number | bigint | null;
    };
    result: {
      /** The lines, ordered by article */
      lines: Array<{
        /** The id of the article */
        article_id: number;
        /** The number of the line, from 1 */
        no_line: number;
        /** The text */
        text: string;
      }>;
    };
    errors: "no_such_article" | "no_such_line";
  };
  /** Return an article */
  "article.read": {
    arguments: {
      /** The id of the article */
      article_id: number | bigint;
    };
    result: {
      /** The article */
      article: Article;
    };
    errors: "no_such_article";
  };
  /** Replace an article. Authors may replace their own articles, editors all */
  "article.replace": {
    arguments: {
      /** The id of the article */
      article_id: number | bigint;
      /** The new title */
      title: TitleArgument;
      /** The new text */
      text: TextArgument;
      /** The language of the article (ISO 639-1 code) */
      language: LanguageArgument;
      /** The tags */
      tags: TagsArgument;
    };
    result: {
      /**
       * The time of the change
       * A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
       */
      changed: string;
    };
    errors: "no_such_article" | "not_yours";
  };
  /** Delete an article and its picture permanently */
  "article.remove": {
    arguments: {
      /** The id of the article */
      article_id: number | bigint;
    };
    result: {};
    errors: "no_such_article";
  };
  /** Return the picture of an article */
  "article.picture": {
    arguments: {
      /** The id of the article */
      article_id: number | bigint;
    };
    result: Download;
    errors: "no_such_article" | "no_such_picture";
  };
  /** Upload the picture of an article, replacing the previous one */
  "article.illustrate": {
    arguments: {
      /** The id of the article */
      article_id: number | bigint;
      /** The picture, at most 1 MiB */
      picture: FileArgument;
      /** A description of the picture, for people who cannot see it */
      alt: string;
    };
    result: {
      /** The media type of the picture, detected from its content */
      media_type: string;
      /** The size of the picture in bytes */
      size: number;
    };
    errors: "no_such_article" | "not_yours";
  };
  /** Write values of the database to files, all or none */
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
    result: Array<string>;
    errors: "count_mismatch" | "duplicate_filename" | "no_value" | "not_allowed" | "name_taken" | "cache_too_large" | "not_cacheable" | "no_database" | "no_room";
  };
  /** Download a file */
  "iapi.file.download": {
    arguments: {
      /** Path and name of the file */
      filename: string;
    };
    result: Download;
    errors: "no_such_file" | "not_allowed";
  };
  /** Upload a file */
  "iapi.file.upload": {
    arguments: {
      /** The file */
      content: FileArgument;
      /** Path and name under which to store the file */
      filename: string;
    };
    result: {};
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
    result: {};
    errors: "count_mismatch" | "duplicate_filename" | "not_allowed" | "name_taken" | "precondition_failed" | "no_room";
  };
  /** Return an article: /publication/read/3 */
  "publication.read.get": {
    arguments: {
      /** The id of the article */
      article_id: number | bigint | string;
    };
    result: {
      /** The title */
      title: string;
      /** The text */
      text: string;
      /** The language of the article (ISO 639-1 code) */
      language: string;
      /** The login of the author */
      author: string;
    };
    errors: "no_such_article";
  };
  /**
   * Search articles, newest first, twenty on a page
   * @deprecated since 2026-01-01, available until 2099-01-01; use article.list instead
   */
  "publication.search.post": {
    arguments: {
      /** Only articles with this text in the title or the text, ignoring case */
      words?: SearchTextArgument | null;
      /** Only articles in this language (ISO 639-1 code) */
      language?: LanguageArgument | null;
      /**
       * The number of the page, from 1
       * @default 1
       */
      page?: number | bigint | null;
    };
    result: {
      /** The articles of the page */
      articles: Array<{
        /** The id of the article */
        article_id: number;
        /** The title */
        title: string;
        /** The login of the author */
        author: string;
      }>;
      /** The number of articles on all pages */
      total: number;
    };
    errors: never;
  };
  /** Register as an author */
  "user.register": {
    arguments: {
      /** The login name */
      login: string;
      /** The display name */
      name: DisplayNameArgument;
      /** The password, at least ten characters */
      password: string;
      /**
       * A description of the user
       * @default ""
       */
      about?: DescriptionArgument | null;
    };
    result: {
      /** The id of the new user */
      user_id: number;
    };
    errors: "login_taken" | "too_busy" | "too_many_registrations";
  };
  /** Log in */
  "user.login": {
    arguments: {
      /** The login */
      login: string;
      /** The password */
      password: string;
    };
    result: {
      /** The id of the user */
      user_id: number;
      /** The token, to be sent as Authorization: Bearer … */
      token: string;
      /**
       * The time at which the token expires
       * A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
       */
      until: string;
    };
    errors: "wrong_login" | "too_busy" | "too_many_failures" | "too_many_logins";
  };
  /** Log out: revoke the token of this request */
  "user.logout": {
    arguments: {};
    result: {};
    errors: never;
  };
  /** Return the public profile of a user */
  "user.read": {
    arguments: {
      /** The id of the user */
      user_id: number | bigint;
    };
    result: {
      /** The profile */
      user: {
        /** The id of the user */
        user_id: number;
        /** The login */
        login: string;
        /** The display name */
        name: string;
        /** A description of the user */
        about: string;
        /** The role, which determines the permissions */
        role: "reader" | "author" | "editor" | "admin";
        /**
         * The time of the registration
         * A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
         */
        since: string;
        /** The number of articles by the user */
        articles: number;
      };
    };
    errors: "no_such_user";
  };
  /** Change a profile; omitted members stay unchanged */
  "user.update": {
    arguments: {
      /** The id of the user */
      user_id: number | bigint;
      /** The display name */
      name?: DisplayNameArgument | null;
      /** A description of the user */
      about?: DescriptionArgument | null;
    };
    result: {
      /** The current display name */
      name: string;
      /** The current description */
      about: string;
    };
    errors: "no_such_user";
  };
}

/** The ids of the methods. */
export type Id = keyof Methods;

/** An article */
export type Article = {
  /** The id of the article */
  article_id: number;
  /** The title */
  title: Title;
  /** The language of the article */
  language: Language;
  /** The login of the author */
  author: string;
  /** The tags */
  tags: Tags;
  /**
   * The time at which it was created
   * A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
   */
  created: string;
  /** The text */
  text: Text;
  /** The id of the author */
  author_id: number;
  /**
   * The time of the last change
   * A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
   */
  changed: string;
  /** The picture, if there is one */
  picture?: Picture | null;
};

/** A language (ISO 639-1 code) */
export type Language = string;

/** An article in a list, without its text */
export type ListedArticle = {
  /** The id of the article */
  article_id: number;
  /** The title */
  title: Title;
  /** The language of the article */
  language: Language;
  /** The login of the author */
  author: string;
  /** The tags */
  tags: Tags;
  /**
   * The time at which it was created
   * A date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date).
   */
  created: string;
};

/** The picture of an article */
export type Picture = {
  /** A description of the picture */
  alt: string;
  /** The media type of the picture */
  media_type: string;
  /** The size of the picture in bytes */
  size: number;
};

/** The tags of an article */
export type Tags = Array<string>;

/** The text of an article; each line break begins a new line */
export type Text = string;

/** The title of an article */
export type Title = string;

/** A description of a user */
export type DescriptionArgument = string;

/** A display name */
export type DisplayNameArgument = string;

/** A language (ISO 639-1 code) */
export type LanguageArgument = string;

/** A text to search for, ignoring case */
export type SearchTextArgument = string;

/** The tags of an article */
export type TagsArgument = ReadonlyArray<string>;

/** The text of an article; each line break begins a new line */
export type TextArgument = string;

/** The title of an article */
export type TitleArgument = string;
