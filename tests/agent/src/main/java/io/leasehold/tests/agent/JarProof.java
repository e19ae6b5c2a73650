package io.leasehold.tests.agent;

import java.util.List;
import java.util.TreeMap;

/** An executable jar, with a loader of its own for the jars that are in it. */
final class JarProof implements Proof {
    private final String program;
    private final String client;
    private final String jar;
    private final CountedServer.Site site;

    JarProof(String program, String client, String jar, CountedServer.Site site) {
        this.program = program;
        this.client = client;
        this.jar = jar;
        this.site = site;
    }

    @Override
    public String program() {
        return program;
    }

    @Override
    public String client() {
        return client;
    }

    @Override
    public Figures run(String agentOptions) throws Exception {
        try (CountedServer server = new CountedServer(false, ProgramProof.KEEP_ALIVE_MILLIS, site)) {
            List<String> command = Launch.java();
            command.addAll(Launch.agent(agentOptions));
            command.add("-jar");
            command.add(System.getProperty("leasehold.jar." + jar));
            command.add(server.url());
            return new Figures(server, Launch.run(command, new TreeMap<>()));
        }
    }
}
