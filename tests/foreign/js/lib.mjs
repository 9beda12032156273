// What every script of matrix-js-sdk here needs: people, waiting, saying what is good.

// The library writes much; only what we say is of interest.
export const say = (text) => process.stdout.write(`${text}\n`);
for (const level of ["debug", "error", "info", "log", "trace", "warn"]) console[level] = () => {};
export const sdk = await import("matrix-js-sdk");

export function need(condition, what, detail = "") {
  if (!condition) throw new Error(`${what} ${JSON.stringify(detail)}`);
  say(`  ${what}`);
}

export async function refused(promise, errcode, what) {
  try {
    await promise;
  } catch (error) {
    need(error.errcode === errcode, what, error.errcode ?? String(error));
    return;
  }
  throw new Error(`${what}: was allowed`);
}

/// Resolves when `test` of an event's arguments is true; rejects when it never is.
export function when(emitter, name, test, seconds = 15) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      emitter.off(name, on);
      reject(new Error(`nothing fitting of ${name} within ${seconds} seconds`));
    }, seconds * 1000);
    function on(...args) {
      if (!test(...args)) return;
      clearTimeout(timer);
      emitter.off(name, on);
      resolve(args);
    }
    emitter.on(name, on);
  });
}

export async function person(url, name) {
  const guest = sdk.createClient({ baseUrl: url });
  // The first call asks for the stages, the second passes the one there is.
  let session;
  try {
    await guest.registerRequest({ username: name, password: `pw-${name}` });
    throw new Error("registration without a stage");
  } catch (error) {
    need(error.httpStatus === 401 && error.data.flows[0].stages[0] === "m.login.dummy", "registration asks for a stage");
    session = error.data.session;
  }
  await guest.registerRequest({
    username: name, password: `pw-${name}`, inhibit_login: true, auth: { type: "m.login.dummy", session },
  });
  await refused(guest.loginRequest({ type: "m.login.password", identifier: { type: "m.id.user", user: name }, password: "x" }),
    "M_FORBIDDEN", "a wrong password is refused");
  return logIn(url, name);
}

export async function logIn(url, name, password = `pw-${name}`) {
  const login = await sdk.createClient({ baseUrl: url }).loginRequest({
    type: "m.login.password", identifier: { type: "m.id.user", user: name }, password,
    initial_device_display_name: "js",
  });
  return sdk.createClient({
    baseUrl: url, accessToken: login.access_token, userId: login.user_id, deviceId: login.device_id,
    timelineSupport: true,
  });
}

export async function start(client) {
  const ready = when(client, sdk.ClientEvent.Sync, (state) => state === "PREPARED");
  await client.startClient({ initialSyncLimit: 10, lazyLoadMembers: true });
  await ready;
}

/// Runs a script to its end: its exit code, a deadline, one line for what went wrong.
export async function run(name, seconds, story) {
  const alarm = setTimeout(() => {
    process.stderr.write(`${name}: not done after ${seconds} seconds\n`);
    process.exit(1);
  }, seconds * 1000);
  try {
    await story();
    clearTimeout(alarm);
    say(`${name}: all good`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${name}: ${error.stack ?? error}\n`);
    process.exit(1);
  }
}
