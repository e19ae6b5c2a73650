package io.leasehold.tests.agent;

import io.leasehold.testsupport.TestTls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/** A few lines on a library, which make its client as its documentation says. They print how many of their requests failed. */
class ProgramProof implements Proof {
    /** After how many milliseconds of silence the server closes a connection: programs pause for as long, more or less. */
    static final int KEEP_ALIVE_MILLIS = 40;

    private final String program;
    private final String client;
    private final String name;
    private final String classPath;
    private final boolean isTls;
    private final Supplier<CountedServer.Site> sites;

    ProgramProof(String program, String client, String name, String classPath, boolean isTls, Supplier<CountedServer.Site> sites) {
        this.program = program;
        this.client = client;
        this.name = name;
        this.classPath = classPath;
        this.isTls = isTls;
        this.sites = sites;
    }

    @Override
    public String program() {
        return program;
    }

    @Override
    public String client() {
        return client;
    }

    /** The options of the program's JVM that start agents. */
    List<String> jvmOptions(String agentOptions) {
        return Launch.agent(agentOptions);
    }

    @Override
    public Figures run(String agentOptions) throws Exception {
        Path trust = Files.createTempFile("leasehold-trust", ".p12");
        try (CountedServer server = new CountedServer(isTls, KEEP_ALIVE_MILLIS, sites.get())) {
            List<String> options = jvmOptions(agentOptions);
            if (isTls) {
                TestTls.writeTrust(trust, "leasehold");
                options.add("-Djavax.net.ssl.trustStore=" + trust);
                options.add("-Djavax.net.ssl.trustStorePassword=leasehold");
            }
            return new Figures(server, Launch.program(name, classPath, options, server.url()));
        } finally {
            Files.delete(trust);
        }
    }
}
