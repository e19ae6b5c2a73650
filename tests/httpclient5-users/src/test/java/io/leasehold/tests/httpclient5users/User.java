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
    ELASTICSEARCH(ElasticsearchProgram::new);

    /** Starts a program. */
    private interface Start {
        Program to(String url) throws Exception;
    }

    private final Start start;

    User(Start start) {
        this.start = start;
    }

    /** Starts a program that sends its requests to the URL. */
    Program start(String url) throws Exception {
        return start.to(url);
    }
}
