// Verifies a token as it must be done: HS256 with the secret in HEADWAY_SECRET, and not expired (RFC 7519).
import { createHmac, timingSafeEqual } from 'node:crypto';

const secret = process.env.HEADWAY_SECRET ?? '';

export const verify = (token) => {
  const [head, claims, signature] = String(token).split('.');
  if (JSON.parse(Buffer.from(head, 'base64url')).alg !== 'HS256') throw new Error('algorithm');
  const wanted = createHmac('sha256', secret).update(`${head}.${claims}`).digest();
  const given = Buffer.from(signature ?? '', 'base64url');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw new Error('signature');
  const { sub, exp } = JSON.parse(Buffer.from(claims, 'base64url'));
  if (exp !== undefined && exp * 1000 < Date.now()) throw new Error('expired');
  return sub;
};
