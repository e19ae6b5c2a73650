package io.leasehold.internal.natives;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;

/**
 * The library's file, for the moment in which it is loaded, where nobody but this user can read it or come near it. Nobody can have put
 * anything in its place: the directory is made here, under a name that cannot be foreseen, or the attempt fails; and so is the file.
 * Whoever may rename things in the directory above could still put another one there afterwards; in one like /tmp, with its sticky bit,
 * others may not.
 */
final class Unpacked implements Closeable {
    private static final FileAttribute<?> PRIVATE = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final Path directory;
    private final Path file;

    private Unpacked(Path directory, Path file) {
        this.directory = directory;
        this.file = file;
    }

    static Unpacked into(Path parent, String name, byte[] content) throws IOException {
        Path directory = Files.createTempDirectory(parent.toAbsolutePath(), "leasehold", PRIVATE);
        Unpacked unpacked = new Unpacked(directory, directory.resolve(name));
        try {
            write(unpacked.file, content);
            return unpacked;
        } catch (IOException | RuntimeException e) {
            unpacked.close();
            throw e;
        }
    }

    /** Into a new file, or not at all: what is there is not written to, and a link is not followed. */
    static void write(Path file, byte[] content) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(content);
        try (SeekableByteChannel channel =
                Files.newByteChannel(file, EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), PRIVATE)) {
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
        }
    }

    Path file() {
        return file;
    }

    /** A loaded library needs its file no more. */
    @Override
    public void close() {
        delete(file);
        delete(directory);
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException | RuntimeException e) {
            path.toFile().deleteOnExit();
        }
    }
}
