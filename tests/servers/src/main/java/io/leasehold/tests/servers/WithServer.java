package io.leasehold.tests.servers;

/** Runs a command while an nginx runs, for scripts. */
public final class WithServer {
    private WithServer() {
    }

    /**
     * Runs the command given, in whose words {@code {}} stands for the URL of {@link WebServer#HELLO}; exits as the command does, or with
     * 1 and a message if the command did not use exactly one connection.
     */
    public static void main(String[] command) throws Exception {
        int status;
        try (Nginx server = Nginx.builder().start()) {
            for (int i = 0; i < command.length; i++) {
                command[i] = command[i].replace("{}", server.url(WebServer.HELLO));
            }
            status = new ProcessBuilder(command).inheritIO().start().waitFor();
            long connections = server.connections();
            if (status == 0 && connections != 1) {
                System.err.println("the command opened " + connections + " connections, not one");
                status = 1;
            }
        }
        System.exit(status);
    }
}
