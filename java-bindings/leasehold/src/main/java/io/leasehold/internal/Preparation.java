package io.leasehold.internal;

import io.leasehold.Cause;
import io.leasehold.Disposer;
import io.leasehold.LeakListener;
import io.leasehold.Sockets;
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

    static void load() {
        // To name a class loads it.
        Class<?>[] platforms = {
            Throwable.class, Error.class, RuntimeException.class, OutOfMemoryError.class, InterruptedException.class, IOException.class,
            IllegalStateException.class, NoSuchMethodException.class, ReflectiveOperationException.class, IllegalAccessException.class,
            Math.class, System.class, Thread.class, StringBuilder.class, Integer.class, Long.class, Boolean.class, Reference.class,
            WeakReference.class, Socket.class, ArrayDeque.class, StackOverflowError.class, ArrayList.class, HashSet.class, Iterator.class,
            LinkedList.class, Queue.class, ThreadLocal.class, TimeoutException.class, ConcurrentSkipListSet.class, List.class, Map.class,
            Set.class, ConcurrentHashMap.class, AtomicInteger.class, TimeUnit.class, LockSupport.class, Level.class, Logger.class,
            SSLSocket.class
        };
        Class<?>[] ours = {
            Cause.class, Disposer.class, LeakListener.class, Attachment.class, Cell.class, Closings.class, Closings.Closing.class,
            Closings.Task.class, Closings.Telling.class, Deadlines.class, HookedRequest.class, Hooks.class, ParkedThread.class,
            Collected.class, Daemon.class, Disposal.class, Effects.class, EngineLog.class, Housekeeper.Charge.class,
            Housekeeper.Parting.class, IdleWatch.class, LeaseRef.class, Listing.class, Listing.Item.class, Log.class, NativePool.class,
            RouteRef.class, Slots.class, SocketDescriptors.class, States.class, Termination.class, Texts.class, Upkeep.class, Waiter.class,
            // What disposers use.
            Sockets.class
        };
        for (Class<?> each : ours) {
            initialize(each);
        }
        // What is linked when it is first run.
        IdleWatch.remove(new Attachment(FoundSocket.of(new Socket())));
        EngineLog.drain();
        Closings.hurry();
        Deadlines.keep(Effects.array());
    }

    private static void initialize(Class<?> each) {
        try {
            Class.forName(each.getName(), true, each.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
