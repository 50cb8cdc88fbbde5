// The benchmark's peer: node oidc-provider with its in-memory adapter, ES256, one process. node provider.mjs PORT
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const api = "https://api.acme.example";

// The adapter that comes with the provider keeps a thousand entries; a benchmark needs more, so this one keeps all, in maps as well.
const entries = new Map();
const grants = new Map();
class Memory {
  constructor(name) {
    this.name = name;
  }
  key(id) {
    return `${this.name}:${id}`;
  }
  async upsert(id, payload) {
    entries.set(this.key(id), payload);
    if (payload.grantId) {
      const kept = grants.get(payload.grantId) ?? [];
      kept.push(this.key(id));
      grants.set(payload.grantId, kept);
    }
  }
  async find(id) {
    return entries.get(this.key(id));
  }
  async findByUid(uid) {
    return [...entries.values()].find((one) => one.kind === this.name && one.uid === uid);
  }
  async findByUserCode() {
    return undefined;
  }
  async consume(id) {
    const found = entries.get(this.key(id));
    if (found) found.consumed = Math.floor(Date.now() / 1000);
  }
  async destroy(id) {
    entries.delete(this.key(id));
  }
  async revokeByGrantId(grantId) {
    for (const key of grants.get(grantId) ?? []) entries.delete(key);
    grants.delete(grantId);
  }
}

const provider = new Provider(issuer, {
  adapter: Memory,
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "ES256", kid: "peer" }] },
  clients: [
    {
      client_id: "svc",
      client_secret: "the-benchmark-secret-of-the-service-client",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: "client_secret_post",
      id_token_signed_response_alg: "ES256",
      introspection_signed_response_alg: "ES256",
      authorization_signed_response_alg: "ES256",
    },
    {
      client_id: "shop",
      client_secret: "the-benchmark-secret-of-the-shop-client-",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      redirect_uris: ["http://127.0.0.1:9/callback"],
      token_endpoint_auth_method: "client_secret_post",
      id_token_signed_response_alg: "ES256",
      introspection_signed_response_alg: "ES256",
      authorization_signed_response_alg: "ES256",
    },
  ],
  scopes: ["openid", "profile", "email", "offline_access", "read"],
  claims: { openid: ["sub"], profile: ["name", "given_name"], email: ["email", "email_verified"] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: true },
    requestObjects: { enabled: true },
    jwtResponseModes: { enabled: true },
    jwtIntrospection: { enabled: true },
    jwtUserinfo: { enabled: true },
    encryption: { enabled: true },
    claimsParameter: { enabled: true },
    dPoP: { enabled: true },
    deviceFlow: { enabled: true },
    backchannelLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx) => (ctx.oidc.params?.grant_type === "client_credentials" ? api : undefined),
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: "read", audience: api, accessTokenTTL: 600, accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } }),
    },
  },
  ttl: { AccessToken: 600, AuthorizationCode: 600, IdToken: 600, RefreshToken: 86400, ClientCredentials: 600, Grant: 86400, Session: 86400, Interaction: 600 },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: "Ada Lovelace", given_name: "Ada", email: "ada@example.com", email_verified: true }) }),
  cookies: { keys: ["benchmark"] },
});

// Codes are made outside the measured requests, as the benchmark does on Limen's side: POST /bench/codes?n=1000 answers {"codes": [...]}.
const codes = async (count, challenge) => {
  const client = await provider.Client.find("shop");
  const made = [];
  for (let n = 0; n < count; n++) {
    const grant = new provider.Grant({ accountId: `acc_${n}`, clientId: "shop" });
    grant.addOIDCScope("openid profile email offline_access");
    const grantId = await grant.save();
    const code = new provider.AuthorizationCode({
      accountId: `acc_${n}`,
      client,
      grantId,
      gty: "authorization_code",
      redirectUri: "http://127.0.0.1:9/callback",
      scope: "openid profile email offline_access",
      codeChallenge: challenge,
      codeChallengeMethod: "S256",
      authTime: Math.floor(Date.now() / 1000),
      sessionUid: `session_${n}`,
      expiresWithSession: false,
    });
    made.push(await code.save());
  }
  return made;
};

const callback = provider.callback();
createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname === "/bench/codes") {
    const answer = await codes(Number(url.searchParams.get("n")), url.searchParams.get("challenge"));
    response.setHeader("content-type", "application/json").end(JSON.stringify({ codes: answer }));
    return;
  }
  if (url.pathname === "/bench/usage") {
    response.setHeader("content-type", "application/json").end(JSON.stringify({ ...process.cpuUsage(), rss: process.memoryUsage().rss }));
    return;
  }
  callback(request, response);
}).listen(port, "127.0.0.1", () => console.log("ready"));
