import { type AddressInfo, createServer } from 'node:net';
import { createInflate } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SpdyConnection, upgrade } from './spdy.ts';

describe('SPDY to a runtime', () => {
  it('upgrades, opens streams with compressed headers, and carries data and ends both ways', async () => {
    const frames: string[] = [];
    const inflate = createInflate();
    let headers = '';
    inflate.on('data', (chunk: Buffer) => (headers += chunk.toString('latin1')));
    const server = createServer((socket) => {
      let buffer = Buffer.alloc(0);
      let upgraded = false;
      socket.on('data', (chunk) => {
        buffer = Buffer.concat([buffer, chunk]);
        if (!upgraded) {
          const end = buffer.indexOf('\r\n\r\n');
          if (end < 0) return;
          frames.push(buffer.toString('latin1', 0, end).split('\r\n')[0]!);
          buffer = buffer.subarray(end + 4);
          upgraded = true;
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n\r\n');
        }
        while (buffer.length >= 8 && buffer.length >= 8 + buffer.readUIntBE(5, 3)) {
          const length = buffer.readUIntBE(5, 3);
          const body = buffer.subarray(8, 8 + length);
          if (buffer[0]! & 0x80) {
            frames.push(`open ${body.readUInt32BE(0)}`);
            inflate.write(body.subarray(10));
          } else {
            frames.push(`data ${buffer.readUInt32BE(0)} ${body.toString()} fin=${buffer[4]! & 1}`);
            if (buffer[4]! & 1) socket.write(Buffer.concat([Buffer.from([0, 0, 0, 1, 1, 0, 0, 5]), Buffer.from('world')]));
          }
          buffer = buffer.subarray(8 + length);
        }
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { socket, head } = await upgrade(`http://127.0.0.1:${(server.address() as AddressInfo).port}/exec/token`, ['v4.channel.k8s.io']);
    const connection = new SpdyConnection(socket, head);
    let received = '';
    const ended = new Promise<void>((resolve) => {
      connection.open({ streamtype: 'stdout' }, { data: (chunk) => (received += chunk.toString()), end: resolve });
    });
    const stdin = connection.open({ streamtype: 'stdin' });
    await stdin.write(Buffer.from('hello'));
    await stdin.end();
    await ended;
    expect(frames).toEqual(['POST /exec/token HTTP/1.1', 'open 1', 'open 3', 'data 3 hello fin=0', 'data 3  fin=1']);
    expect(received).toBe('world');
    await expect.poll(() => headers).toBe('\0\0\0\x01\0\0\0\x0astreamtype\0\0\0\x06stdout\0\0\0\x01\0\0\0\x0astreamtype\0\0\0\x05stdin');
    connection.destroy();
    server.close();
  });

  it('says what the runtime answered when it refuses', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await expect(upgrade(`http://127.0.0.1:${(server.address() as AddressInfo).port}/exec/gone`, [])).rejects.toThrow(
      'HTTP/1.1 404 Not Found',
    );
    server.close();
  });
});
