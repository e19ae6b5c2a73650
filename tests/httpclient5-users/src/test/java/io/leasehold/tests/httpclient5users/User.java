package io.leasehold.tests.httpclient5users;

import java.util.concurrent.Callable;

/** What programs use HttpClient through. */
enum User {
    REST_CLIENT(SpringProgram::restClient),
    REST_TEMPLATE(SpringProgram::restTemplate),
    BOOTS_REQUEST_FACTORY(SpringProgram::restClientByBootsBuilder),
    BOOTS_REST_CLIENT(BootProgram::restClient),
    BOOTS_REST_TEMPLATE(BootProgram::restTemplate),
    OPEN_FEIGN(FeignProgram::new),
    JERSEY(JerseyProgram::new);

    private final Callable<Program> start;

    User(Callable<Program> start) {
        this.start = start;
    }

    Program start() throws Exception {
        return start.call();
    }
}
