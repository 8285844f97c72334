// Makes the replica set of one that change streams need; does nothing where it stands.
try {
  rs.status();
} catch {
  rs.initiate({_id: "concord", members: [{_id: 0, host: "store:27017"}]});
}
for (let waited = 0; !db.hello().isWritablePrimary; waited += 200) {
  if (waited > 30000) throw new Error("the replica set has no primary after 30 s");
  sleep(200);
}
