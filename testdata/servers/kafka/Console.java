import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Prints every record of a topic, one on a line, and then "end". Kafka's own console consumer ends
 * after a time without records, so a slow broker looks like the end of the log; this one reads up to
 * the end offsets, and with read_committed it first waits until no transaction is open.
 *
 * <p>Arguments: bootstrap servers, topic, isolation level, seconds to wait for open transactions.
 *
 * <p>Fields, tab between them: partition, offset, leader epoch, timestamp, key, value, headers. Bytes
 * are base64, "-" is null. Headers are name:value with commas between them, the name in base64 too.
 */
public final class Console {
  /** So long may brokers be silent before the end is reached. */
  private static final Duration STALLED = Duration.ofSeconds(60);

  public static void main(String[] args) throws Exception {
    String topic = args[1];
    PrintStream out =
        new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.US_ASCII);
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(args[0], args[2])) {
      List<TopicPartition> partitions = new ArrayList<>();
      List<PartitionInfo> infos = consumer.partitionsFor(topic);
      if (infos == null || infos.isEmpty()) {
        throw new IllegalStateException("no topic " + topic);
      }
      for (PartitionInfo p : infos) {
        partitions.add(new TopicPartition(topic, p.partition()));
      }
      consumer.assign(partitions);
      Map<TopicPartition, Long> ends = ends(consumer, args, partitions);
      consumer.seekToBeginning(partitions);
      long begin = System.nanoTime();
      while (behind(consumer, ends)) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
        if (!records.isEmpty()) {
          begin = System.nanoTime();
        } else if (System.nanoTime() - begin > STALLED.toNanos()) {
          throw new IllegalStateException("no record for " + STALLED + ", the ends are " + ends);
        }
        for (ConsumerRecord<byte[], byte[]> r : records) {
          if (r.offset() < ends.get(new TopicPartition(topic, r.partition()))) {
            out.print(line(r));
          }
        }
      }
    }
    out.print("end\n");
    out.flush();
    if (out.checkError()) {
      throw new IllegalStateException("writing the records failed");
    }
  }

  private static KafkaConsumer<byte[], byte[]> consumer(String bootstrap, String isolation) {
    Properties p = new Properties();
    p.put("bootstrap.servers", bootstrap);
    p.put("isolation.level", isolation);
    p.put("enable.auto.commit", "false");
    p.put("allow.auto.create.topics", "false");
    p.put("auto.offset.reset", "earliest");
    p.put("enable.metrics.push", "false");
    p.put("fetch.max.wait.ms", "100");
    return new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** The offsets up to which to read. Those of read_committed stop at the first open transaction. */
  private static Map<TopicPartition, Long> ends(
      KafkaConsumer<byte[], byte[]> consumer, String[] args, List<TopicPartition> partitions)
      throws InterruptedException {
    if (!args[2].equals("read_committed")) {
      return consumer.endOffsets(partitions);
    }
    long until = System.nanoTime() + Duration.ofSeconds(Long.parseLong(args[3])).toNanos();
    try (KafkaConsumer<byte[], byte[]> all = consumer(args[0], "read_uncommitted")) {
      while (true) {
        Map<TopicPartition, Long> high = all.endOffsets(partitions);
        Map<TopicPartition, Long> stable = consumer.endOffsets(partitions);
        boolean open = false;
        for (TopicPartition p : partitions) {
          open |= stable.get(p) < high.get(p);
        }
        if (!open) {
          return stable;
        }
        if (System.nanoTime() > until) {
          throw new IllegalStateException("a transaction is still open: stable " + stable + ", end " + high);
        }
        Thread.sleep(50);
      }
    }
  }

  private static boolean behind(KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends) {
    for (Map.Entry<TopicPartition, Long> e : ends.entrySet()) {
      if (consumer.position(e.getKey()) < e.getValue()) {
        return true;
      }
    }
    return false;
  }

  private static String line(ConsumerRecord<byte[], byte[]> r) {
    StringBuilder b = new StringBuilder();
    b.append(r.partition()).append('\t').append(r.offset()).append('\t');
    b.append(r.leaderEpoch().orElse(-1)).append('\t').append(r.timestamp()).append('\t');
    b.append(text(r.key())).append('\t').append(text(r.value())).append('\t');
    String comma = "";
    for (Header h : r.headers()) {
      b.append(comma).append(text(h.key().getBytes(StandardCharsets.UTF_8))).append(':').append(text(h.value()));
      comma = ",";
    }
    return b.append('\n').toString();
  }

  private static String text(byte[] bytes) {
    return bytes == null ? "-" : Base64.getEncoder().encodeToString(bytes);
  }
}
