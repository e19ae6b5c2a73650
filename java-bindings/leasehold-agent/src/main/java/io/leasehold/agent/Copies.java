package io.leasehold.agent;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** What loaders show of the copies of HttpClient that they have. */
final class Copies {
    private Copies() {}

    /** A class, its version and where it is, for people, if managers of it may be put on Leasehold as far as files tell. */
    static String which(Target target, ClassLoader loader) throws Unexpected, IOException {
        if (loader.getResource("io/leasehold/Leasehold.class") != null) {
            throw new Unexpected("the application has a Leasehold of its own");
        }
        String version = version(target, loader);
        return target.className + (version == null ? "" : " " + version) + " in " + loader.getClass().getName();
    }

    /** HttpClient's version; null where it does not say any. */
    private static String version(Target target, ClassLoader loader) throws Unexpected, IOException {
        if (target.versionResource == null) {
            return null;
        }
        Properties properties = new Properties();
        try (InputStream in = loader.getResourceAsStream(target.versionResource)) {
            if (in == null) {
                throw new Unexpected("it does not say its version");
            }
            properties.load(in);
        }
        String version = properties.getProperty("info.release", "").trim();
        String[] numbers = version.split("[^0-9]");
        if (numbers.length < 2 || !numbers[0].equals(target.generation) || Integer.parseInt(numbers[1]) < target.leastMinor) {
            throw new Unexpected("it is of version " + version + ", and " + target.generation + "." + target.leastMinor
                    + " is the first that can be put on Leasehold");
        }
        return version;
    }
}
