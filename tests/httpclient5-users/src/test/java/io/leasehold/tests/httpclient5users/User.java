package io.leasehold.tests.httpclient5users;

/** What programs use HttpClient through. */
enum User {
    REST_CLIENT(SpringProgram::restClient),
    REST_TEMPLATE(SpringProgram::restTemplate),
    BOOTS_REQUEST_FACTORY(SpringProgram::restClientByBootsBuilder),
    BOOTS_REST_CLIENT(BootProgram::restClient),
    BOOTS_REST_TEMPLATE(BootProgram::restTemplate),
    OPEN_FEIGN(FeignProgram::new),
    JERSEY(JerseyProgram::new),
    ELASTICSEARCH(ElasticsearchProgram::new, true);

    /** Starts a program. */
    private interface Start {
        Program to(String url) throws Exception;
    }

    private final Start start;
    /**
     * Whether its requests may close connections on which they were answered. HttpClient's asynchronous client cancels a request that has
     * ended by the time that the thread which has sent it comes back, on stock's manager as well: a few of ten thousand.
     */
    final boolean givesUp;

    User(Start start) {
        this(start, false);
    }

    User(Start start, boolean givesUp) {
        this.start = start;
        this.givesUp = givesUp;
    }

    /** Starts a program that sends its requests to the URL. */
    Program start(String url) throws Exception {
        return start.to(url);
    }
}
