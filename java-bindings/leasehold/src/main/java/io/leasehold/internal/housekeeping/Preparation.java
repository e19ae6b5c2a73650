package io.leasehold.internal.housekeeping;

import io.leasehold.internal.jfr.FlightEvents;
import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Descriptors;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import io.leasehold.internal.natives.EngineLog;
import io.leasehold.internal.natives.KernelClock;
import io.leasehold.internal.natives.NativeLibrary;
import io.leasehold.internal.natives.PeerWatch;
import io.leasehold.internal.natives.SecondDescriptor;
import io.leasehold.internal.sockets.Attachment;
import io.leasehold.internal.sockets.FoundSocket;
import io.leasehold.internal.sockets.IdleWatch;
import java.io.IOException;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLSocket;

/**
 * Loads what the library's threads need. They may have work left when their application was undeployed, whose class loader then answers
 * every question with an exception, for the platform's classes too; what was asked for before, the JVM remembers. In step with the code
 * that runs on these threads: {@code ClosedLoaderTest} finds what is missing here.
 */
final class Preparation {
    private Preparation() {}

    /** What this layer and those below it need. */
    static void loadOurs() {
        // To name a class loads it.
        Class<?>[] platforms = {
            Throwable.class, Error.class, RuntimeException.class, OutOfMemoryError.class, InterruptedException.class, IOException.class,
            IllegalStateException.class, NoSuchMethodException.class, ReflectiveOperationException.class, IllegalAccessException.class,
            Math.class, System.class, Thread.class, StringBuilder.class, Integer.class, Long.class, Boolean.class, Reference.class,
            WeakReference.class, Socket.class, ArrayDeque.class, StackOverflowError.class, ArrayList.class, HashSet.class, Iterator.class,
            LinkedList.class, Queue.class, ThreadLocal.class, TimeoutException.class, ConcurrentSkipListSet.class, List.class, Map.class,
            Set.class, ConcurrentHashMap.class, AtomicBoolean.class, AtomicInteger.class, TimeUnit.class, LockSupport.class, Level.class,
            Logger.class, SSLSocket.class
        };
        load(Log.class, Texts.class, FlightEvents.class, NativeLibrary.class, Engine.class, Effects.class, EngineLog.class, KernelClock.class, PeerWatch.class,
                Descriptors.class, SecondDescriptor.class, FoundSocket.class, Attachment.class, IdleWatch.class);
        // What is linked when it is first run.
        Attachment none = new Attachment(FoundSocket.of(new Socket()));
        none.isWatched = true;
        IdleWatch.remove(none);
        SecondDescriptor.of(none.descriptor());
        FlightEvents.isToBePrepared();
    }

    /** Loads and initializes what the layers above need. */
    static void load(Class<?>... classes) {
        for (Class<?> each : classes) {
            initialize(each);
        }
    }

    private static void initialize(Class<?> each) {
        try {
            Class.forName(each.getName(), true, each.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
